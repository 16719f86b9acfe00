//! The forms of the ARNs that name one service.

use crate::catalogue::Catalogue;
use crate::globs::{Glob, arn_fields};

/// The forms of the ARNs that name one service.
pub(crate) struct Forms<'a> {
    /// As the reference writes them.
    pub texts: Vec<&'a str>,
    pub forms: Vec<Form<'a>>,
}

pub(crate) struct Form<'a> {
    pub fields: Vec<&'a str>,
    pub region: Glob,
    pub account: Glob,
    pub name: Glob,
}

/// Forms that AWS's guides show and the reference leaves out.
const GUIDES: [(&str, &str); 1] = [("cloudformation", TRANSFORM)];

/// AWS's own macros (CloudFormation User Guide, *Controlling access with IAM*: creating a change set
/// that uses one is authorized on it as well).
pub(crate) const TRANSFORM: &str =
    "arn:${Partition}:cloudformation:${Region}:aws:transform/${TransformName}";

impl<'a> Forms<'a> {
    pub fn new(catalogue: &'a dyn Catalogue, service: &str) -> Forms<'a> {
        let types = catalogue.resource_types(service);
        let listed = types.into_iter().flat_map(|t| t.arn_patterns);
        let mut texts: Vec<&str> = listed.collect();
        if !texts.is_empty() {
            let guides = GUIDES.iter().filter(|(known, _)| *known == service);
            texts.extend(guides.map(|(_, form)| *form));
        }
        // The service of a form may be a placeholder: a recovery point of AWS Backup has the ARN
        // of the service that it was taken from.
        let names = |form: &Vec<&str>| form[2] == service || form[2].contains("${");
        let fields = texts.iter().map(|text| arn_fields(text));
        let forms = fields.filter(|form| form.len() == 6 && names(form));
        let forms = forms.map(|fields| Form {
            region: Glob::form(fields[3]),
            account: Glob::form(fields[4]),
            name: Glob::form(fields[5]),
            fields,
        });
        Forms {
            forms: forms.collect(),
            texts,
        }
    }
}
