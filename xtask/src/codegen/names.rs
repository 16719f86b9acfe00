//! Converts the models' names to Rust's.

/// `MFADeviceName` → `mfa_device_name`.
pub fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (i, &c) in chars.iter().enumerate() {
        let after_small =
            i > 0 && (chars[i - 1].is_ascii_lowercase() || chars[i - 1].is_ascii_digit());
        let before_small = i > 0
            && chars[i - 1].is_ascii_uppercase()
            && chars.get(i + 1).is_some_and(char::is_ascii_lowercase);
        if c.is_ascii_uppercase() && (after_small || before_small) {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// `MFADeviceName` → `MFA_DEVICE_NAME`.
pub fn table(name: &str) -> String {
    snake(name).to_ascii_uppercase()
}

/// A field's name, escaped where it is a keyword.
pub fn field(name: &str) -> String {
    let name = snake(name);
    match name.as_str() {
        "type" | "ref" | "match" | "use" | "static" | "move" | "in" | "as" | "where" | "final" => {
            format!("r#{name}")
        }
        _ => name,
    }
}

/// A type's name: the model's, with a capital first letter.
pub fn type_name(name: &str) -> String {
    let mut chars = name.chars();
    chars
        .next()
        .map(|first| first.to_ascii_uppercase().to_string() + chars.as_str())
        .unwrap_or_default()
}

/// An enumeration's variant: `KMS_DSSE` → `KmsDsse`, `text/csv` → `TextCsv`.
pub fn variant(value: &str) -> String {
    let name: String = snake(value)
        .split(|c: char| !c.is_ascii_alphanumeric())
        .map(type_name)
        .collect();
    // A word of the language, which has no raw form.
    match name.as_str() {
        "Self" => "Self_".to_owned(),
        _ => name,
    }
}

/// An error's variant: its shape's name without `Exception`.
pub fn error_variant(shape: &str) -> String {
    type_name(shape.strip_suffix("Exception").unwrap_or(shape))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_rust() {
        assert_eq!(
            snake("OpenIDConnectProviderArn"),
            "open_id_connect_provider_arn"
        );
        assert_eq!(snake("QRCodePNG"), "qr_code_png");
        assert_eq!(table("accessKeyIdType"), "ACCESS_KEY_ID_TYPE");
        assert_eq!(field("Type"), "r#type");
        assert_eq!(variant("KMS_DSSE"), "KmsDsse");
        assert_eq!(variant("SELF"), "Self_");
        assert_eq!(variant("AES256"), "Aes256");
        assert_eq!(variant("AccountMFAEnabled"), "AccountMfaEnabled");
        assert_eq!(variant("text/csv"), "TextCsv");
        assert_eq!(variant("explicitDeny"), "ExplicitDeny");
        assert_eq!(error_variant("NoSuchEntityException"), "NoSuchEntity");
    }
}
