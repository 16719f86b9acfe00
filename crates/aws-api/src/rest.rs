//! restJson1: the operation in method and path; parameters in path, query, headers and a JSON body (Smithy,
//! "AWS restJson1 protocol").

use crate::json;
use crate::limits::PARAMETERS_MAX;
use crate::query::{escape, iso8601, scalar, unescape};
use crate::shape::{Binding, Kind, Member, Shape};
use crate::value::Value;
use crate::{Operation, Service};

/// How calls of an operation are HTTP requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Http {
    /// The method.
    pub method: &'static str,
    /// The path, with labels in braces: `/analyzer/{analyzerName}`.
    pub uri: &'static str,
    /// The status of a success.
    pub status: u16,
}

/// What a request of restJson1 says outside its body.
///
/// ```
/// use aws_api::{RestHead, Service, access_analyzer, decode_rest};
///
/// let operation = RestHead::route(Service::AccessAnalyzer, "POST", "/policy/validation").unwrap();
/// assert_eq!(operation.name(), "ValidatePolicy");
/// let head = RestHead::read(operation, "/policy/validation", "maxResults=5", |_| None)?;
/// let body = br#"{"policyDocument": "{}", "policyType": "IDENTITY_POLICY"}"#;
/// let input = decode_rest::<access_analyzer::ops::ValidatePolicy>(&head, body)?;
/// assert_eq!(input.max_results, Some(5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestHead {
    labels: Vec<(&'static str, String)>,
    query: Vec<(String, String)>,
    headers: Vec<(&'static str, String)>,
}

impl RestHead {
    /// The operation of a method and a path as it came.
    pub fn route(service: Service, method: &str, path: &str) -> Option<Operation> {
        let operations = service.operations().into_iter();
        let matching = operations.filter(|operation| {
            let http = operation.http().filter(|http| http.method == method);
            http.is_some_and(|http| labels(http.uri, path).is_some())
        });
        // `/a/b` is not the `/a/{name}` that it also matches.
        matching.min_by_key(|operation| operation.http().map(|http| http.uri.matches('{').count()))
    }

    /// Reads what the input's members are bound to. `header` finds a header by its name in lower case.
    ///
    /// # Errors
    /// The message for the client.
    pub fn read<'h>(
        operation: Operation,
        path: &str,
        query: &str,
        header: impl Fn(&str) -> Option<&'h str>,
    ) -> Result<RestHead, String> {
        let uri = operation.http().map_or("", |http| http.uri);
        let labels = labels(uri, path).unwrap_or_default().into_iter();
        let labels = labels.map(|(name, text)| {
            // A plus is a plus in a path.
            let text = unescape(text.replace('+', "%2B").as_bytes())?;
            Ok((name, text))
        });
        let mut pairs = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            if pairs.len() == PARAMETERS_MAX {
                return Err("The request has too many parameters.".to_owned());
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((unescape(name.as_bytes())?, unescape(value.as_bytes())?));
        }
        let members = operation.input().members().iter();
        let headers = members.filter_map(|member| match member.binding {
            Binding::Header(name) => Some((name, header(name)?.to_owned())),
            _ => None,
        });
        Ok(RestHead {
            labels: labels.collect::<Result<_, String>>()?,
            query: pairs,
            headers: headers.collect(),
        })
    }

    /// The request as a value of `shape`.
    pub(crate) fn decode<'a>(
        &'a self,
        shape: &'static Shape,
        body: &'a [u8],
    ) -> Result<Value<'a>, String> {
        let Value::Structure(mut slots) = json::decode(shape, body)? else {
            return Err("The request body must be a JSON object.".to_owned());
        };
        for (member, slot) in shape.members().iter().zip(&mut slots) {
            if member.binding != Binding::Body {
                *slot = self.bound(member)?;
            }
        }
        Ok(Value::Structure(slots))
    }

    fn bound<'a>(&'a self, member: &Member) -> Result<Option<Value<'a>>, String> {
        let texts: Vec<&str> = match member.binding {
            Binding::Body => Vec::new(),
            Binding::Label(name) => named(self.labels.iter().map(|(n, v)| (*n, v)), name),
            Binding::Header(name) => named(self.headers.iter().map(|(n, v)| (*n, v)), name),
            Binding::Query(name) => named(self.query.iter().map(|(n, v)| (n.as_str(), v)), name),
        };
        let name = member.name;
        let one = |kind, text| {
            let value = scalar(kind, text);
            value.ok_or_else(|| format!("The parameter {name} has a value of the wrong type."))
        };
        match (member.shape.kind, texts.as_slice()) {
            (_, []) => Ok(None),
            (Kind::List(inner), texts) => {
                let values = texts.iter().map(|text| one(inner.kind, *text));
                Ok(Some(Value::List(values.collect::<Result<_, _>>()?)))
            }
            (kind, [text]) => one(kind, *text).map(Some),
            // One part of a program could act on the first, and another on the second.
            _ => Err(format!("The parameter {name} is given more than once.")),
        }
    }
}

fn named<'a>(pairs: impl Iterator<Item = (&'a str, &'a String)>, name: &str) -> Vec<&'a str> {
    let own = pairs.filter(|(other, _)| *other == name);
    own.map(|(_, value)| value.as_str()).collect()
}

/// The labels of a path that fits a template, as they came.
fn labels<'p>(template: &'static str, path: &'p str) -> Option<Vec<(&'static str, &'p str)>> {
    let mut found = Vec::new();
    let mut rest = Some(path.strip_prefix('/')?);
    for part in template.strip_prefix('/')?.split('/') {
        let left = rest?;
        let label = part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'));
        if let Some(greedy) = label.and_then(|label| label.strip_suffix('+')) {
            found.push((greedy, left));
            return (!left.is_empty()).then_some(found);
        }
        let (segment, after) = match left.split_once('/') {
            Some((segment, after)) => (segment, Some(after)),
            None => (left, None),
        };
        match label {
            Some(label) if !segment.is_empty() => found.push((label, segment)),
            None if segment == part => {}
            _ => return None,
        }
        rest = after;
    }
    rest.is_none().then_some(found)
}

/// A request: path with query, headers, and the body.
pub(crate) fn encode(
    http: Http,
    shape: &Shape,
    value: Value<'_>,
) -> (String, Vec<(&'static str, String)>, Vec<u8>) {
    let Value::Structure(mut slots) = value else {
        return (http.uri.to_owned(), Vec::new(), Vec::new());
    };
    let (mut path, mut query, mut headers) = (http.uri.to_owned(), String::new(), Vec::new());
    let mut has_body = false;
    for (member, slot) in shape.members().iter().zip(&mut slots) {
        if member.binding == Binding::Body {
            has_body = true;
            continue;
        }
        for text in slot.take().iter().flat_map(texts) {
            match member.binding {
                Binding::Label(name) => {
                    let mut escaped = String::new();
                    escape(&text, &mut escaped);
                    let greedy = escaped.replace("%2F", "/");
                    path = path.replace(&format!("{{{name}}}"), &escaped);
                    path = path.replace(&format!("{{{name}+}}"), &greedy);
                }
                Binding::Query(name) => {
                    query.push(if query.is_empty() { '?' } else { '&' });
                    escape(name, &mut query);
                    query.push('=');
                    escape(&text, &mut query);
                }
                Binding::Header(name) => headers.push((name, text)),
                Binding::Body => {}
            }
        }
    }
    let mut body = Vec::new();
    if has_body {
        json::encode(shape, &Value::Structure(slots), &mut body);
    }
    (path + &query, headers, body)
}

fn texts(value: &Value<'_>) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.to_string()],
        Value::Boolean(flag) => vec![flag.to_string()],
        Value::Integer(number) => vec![number.to_string()],
        Value::Timestamp(at) => vec![iso8601(*at)],
        Value::List(members) => members.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_fits_its_template_alone() {
        let found = |template, path| labels(template, path);
        assert_eq!(
            found("/policy/validation", "/policy/validation"),
            Some(vec![])
        );
        for other in [
            "/policy",
            "/policy/validation/",
            "/policy/validation/x",
            "policy/validation",
            "//validation",
        ] {
            assert_eq!(found("/policy/validation", other), None, "{other}");
        }
        assert_eq!(
            found("/analyzer/{name}/rule/{rule}", "/analyzer/a%2Fb/rule/c"),
            Some(vec![("name", "a%2Fb"), ("rule", "c")])
        );
        assert_eq!(found("/analyzer/{name}", "/analyzer/"), None);
        assert_eq!(
            found("/tags/{arn+}", "/tags/a/b"),
            Some(vec![("arn", "a/b")])
        );
        assert_eq!(found("/tags/{arn+}", "/tags/"), None);
    }

    #[test]
    fn a_literal_path_is_preferred_to_a_label() {
        let route = |method, path| {
            let operation = RestHead::route(Service::AccessAnalyzer, method, path);
            operation.map(Operation::name)
        };
        assert_eq!(
            route("POST", "/analyzer/findings/statistics"),
            Some("GetFindingsStatistics")
        );
        assert_eq!(route("GET", "/analyzer/findings"), Some("GetAnalyzer"));
        assert_eq!(route("PUT", "/analyzer"), Some("CreateAnalyzer"));
        assert_eq!(route("PATCH", "/analyzer"), None);
        assert_eq!(route("GET", "/"), None);
        assert_eq!(RestHead::route(Service::Ecr, "POST", "/"), None);
    }

    #[test]
    fn members_outside_the_body_are_read_there_and_nowhere_else() {
        let operation = Service::AccessAnalyzer.operation("UntagResource").unwrap();
        let path = "/tags/arn%3Aaws%3Aa+b";
        let head = RestHead::read(operation, path, "tagKeys=a&tagKeys=b%20c&x-id=1", |_| None);
        let head = head.unwrap();
        let read = head
            .decode(operation.input(), br#"{"resourceArn": "other"}"#)
            .unwrap();
        let text = |text: &str| Value::String(text.to_owned().into());
        let keys = Value::List(vec![text("a"), text("b c")]);
        assert_eq!(
            read,
            Value::Structure(vec![Some(text("arn:aws:a+b")), Some(keys)])
        );
    }

    #[test]
    fn values_of_the_wrong_type_and_repeated_ones_are_refused() {
        let operation = Service::AccessAnalyzer.operation("ValidatePolicy").unwrap();
        for query in [
            "maxResults=many",
            "maxResults=1&maxResults=2",
            "maxResults=",
        ] {
            let head = RestHead::read(operation, "/policy/validation", query, |_| None).unwrap();
            let refused = head.decode(operation.input(), b"{}").unwrap_err();
            assert!(refused.contains("maxResults"), "{refused}");
        }
        assert!(RestHead::read(operation, "/policy/validation", "a=%zz", |_| None).is_err());
    }
}
