//! The macros behind the generated tables. Each turns a table into types, so that
//! the generated files stay short enough to read.

/// Structures: a shape table, the Rust type, and its conversion from and to a tree.
macro_rules! structures {
    ($(
        $table:ident$(.$hidden:ident)? $name:ident {
            $($field:ident: $ty:ty = $need:ident $(.$secret:ident)? $wire:literal $shape:ident $(@ $binding:ident($bound:literal))?,)*
        }
    )*) => {$(
        #[doc = concat!("The model's structure `", stringify!($name), "`.")]
        #[derive(Clone, Default, PartialEq)]
        pub struct $name {
            $(pub $field: $ty,)*
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                // A structure that the model marks as sensitive prints no members.
                if $table.sensitive {
                    return f.write_str(concat!(stringify!($name), " { … }"));
                }
                f.debug_struct(stringify!($name))
                    $(.field(stringify!($field), &self.$field))*
                    .finish()
            }
        }

        pub(crate) static $table: Shape = Shape::new(
            stringify!($name),
            Kind::Structure(&[$(Member::$need($wire, &$shape)$(.$secret())?$(.bound(Binding::$binding($bound)))?),*]),
        )$(.$hidden())?;

        impl Shaped for $name {
            fn shape() -> &'static Shape {
                &$table
            }
            #[allow(unused_mut, unused_variables)]
            fn from_value(value: Value<'_>) -> Result<Self, Mismatch> {
                let Value::Structure(slots) = value else {
                    return Err(Mismatch { shape: stringify!($name) });
                };
                let mut slots = slots.into_iter();
                Ok(Self {
                    $($field: crate::value::$need::take(slots.next(), stringify!($name))?,)*
                })
            }
            fn to_value(&self) -> Value<'_> {
                Value::Structure(vec![$(crate::value::$need::put(&self.$field)),*])
            }
        }
    )*};
}

/// Enumerations: closed sets of strings.
macro_rules! enumerations {
    ($($table:ident $model:literal $name:ident {
        $first:ident = $first_text:literal, $($variant:ident = $text:literal,)*
    })*) => {$(
        #[doc = concat!("The model's enumeration `", $model, "`.")]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            #[default]
            $first,
            $($variant,)*
        }

        pub(crate) static $table: Shape =
            Shape::new($model, Kind::String).values(&[$first_text, $($text),*]);

        impl $name {
            /// Every value, in the model's order.
            pub const ALL: &'static [Self] = &[Self::$first, $(Self::$variant),*];

            /// The value on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    Self::$first => $first_text,
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = Mismatch;
            fn from_str(text: &str) -> Result<Self, Mismatch> {
                match text {
                    $first_text => Ok(Self::$first),
                    $($text => Ok(Self::$variant),)*
                    _ => Err(Mismatch { shape: $model }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Shaped for $name {
            fn shape() -> &'static Shape {
                &$table
            }
            fn from_value(value: Value<'_>) -> Result<Self, Mismatch> {
                match value {
                    Value::String(text) => text.parse(),
                    _ => Err(Mismatch { shape: $model }),
                }
            }
            fn to_value(&self) -> Value<'_> {
                Value::String(std::borrow::Cow::Borrowed(self.as_str()))
            }
        }
    )*};
}

/// The HTTP binding of an operation, if it has one.
macro_rules! http_binding {
    () => {
        None
    };
    ($method:literal $uri:literal $status:literal) => {
        Some(crate::Http {
            method: $method,
            uri: $uri,
            status: $status,
        })
    };
}

/// A service's operations: an enumeration of their names, and for each a unit
/// type with its input and output types.
macro_rules! operations {
    ($service:ident: $($name:ident($input:ty) -> $output:ty, [$($error:ident),*] $(@ $method:literal $uri:literal $status:literal)?;)*) => {
        /// The operations of the service.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Operation {
            $($name,)*
        }

        impl Operation {
            /// Every operation, in the model's order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name on the wire.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// The operation of this name, case-sensitive.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($name) => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The errors that the model names for the operation.
            pub const fn errors(self) -> &'static [ErrorCode] {
                match self {
                    $(Self::$name => &[$(ErrorCode::$error),*],)*
                }
            }

            /// Its HTTP binding, in restJson1.
            pub const fn http(self) -> Option<crate::Http> {
                match self {
                    $(Self::$name => http_binding!($($method $uri $status)?),)*
                }
            }

            /// The shape of its input.
            pub fn input(self) -> &'static crate::Shape {
                match self {
                    $(Self::$name => <$input as crate::Shaped>::shape(),)*
                }
            }

            /// The shape of its output.
            pub fn output(self) -> &'static crate::Shape {
                match self {
                    $(Self::$name => <$output as crate::Shaped>::shape(),)*
                }
            }

            /// Converts an input to its Rust type and back, for tests of all types.
            #[cfg(test)]
            pub(crate) fn input_through_type(self, value: crate::Value<'_>) -> crate::Value<'static> {
                match self {
                    $(Self::$name => crate::tests::through::<$input>(value),)*
                }
            }

            /// Converts an output to its Rust type and back, for tests of all types.
            #[cfg(test)]
            pub(crate) fn output_through_type(self, value: crate::Value<'_>) -> crate::Value<'static> {
                match self {
                    $(Self::$name => crate::tests::through::<$output>(value),)*
                }
            }
        }

        /// A type for each operation, for code that is generic over operations.
        pub mod ops {
            use super::*;
            $(
                #[doc = concat!("The operation `", stringify!($name), "`.")]
                #[derive(Clone, Copy, Debug, PartialEq, Eq)]
                pub struct $name;

                impl crate::Op for $name {
                    const OPERATION: crate::Operation = crate::Operation::$service(Operation::$name);
                    const NAME: &'static str = stringify!($name);
                    type Input = $input;
                    type Output = $output;
                }
            )*
        }
    };
}

/// A service's modelled errors.
macro_rules! errors {
    ($($name:ident = $code:literal $status:literal $fault:ident,)*) => {
        /// The errors in the service's model.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ErrorCode {
            $($name,)*
        }

        impl ErrorCode {
            /// Every error, in the model's order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code on the wire.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }

            /// The error of this code.
            pub fn from_code(code: &str) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The HTTP status.
            pub const fn status(self) -> crate::ErrorStatus {
                match self {
                    $(Self::$name => crate::ErrorStatus::of::<$status>(),)*
                }
            }

            /// Who caused it.
            pub const fn fault(self) -> crate::Fault {
                match self {
                    $(Self::$name => crate::Fault::$fault,)*
                }
            }

            /// The error on the wire, with its message.
            pub fn with(self, message: impl Into<String>) -> crate::WireError {
                crate::WireError::new(self.code(), self.status(), self.fault(), message)
            }
        }
    };
}
