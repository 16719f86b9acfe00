//! Repository creation templates: the operations.

use aws_api::ecr::{
    CreateRepositoryCreationTemplateRequest, CreateRepositoryCreationTemplateResponse,
    CreateRepositoryResponse, DeleteRepositoryCreationTemplateRequest,
    DeleteRepositoryCreationTemplateResponse, DescribeRepositoryCreationTemplatesRequest,
    DescribeRepositoryCreationTemplatesResponse, EncryptionConfiguration,
    EncryptionConfigurationForRepositoryCreationTemplate, EncryptionType, RCTAppliedFor,
    RepositoryCreationTemplate, UpdateRepositoryCreationTemplateRequest,
    UpdateRepositoryCreationTemplateResponse,
};
use aws_types::Arn;
use policy::DocumentKind;
use store::Write;
use store::ecr::repository_template::{self, RepositoryTemplate};

use super::lifecycle;
use super::repositories::{Policies, time};
use super::tags::{check_tags, merged};
use super::token;
use crate::layer_keys::{KeyId, check_encryption};
use crate::mutability::Mutability;
use crate::templates::{TEMPLATES_MAX, Template};
use crate::{Authorized, Error, Pinned, Registry, TemplatedRepository};

impl Registry {
    /// `CreateRepositoryCreationTemplate`.
    ///
    /// # Errors
    /// [`Error::TemplateAlreadyExists`], [`Error::LimitExceeded`], and those of its settings.
    pub async fn create_repository_creation_template(
        &self,
        cx: &Authorized,
        input: CreateRepositoryCreationTemplateRequest,
    ) -> Result<CreateRepositoryCreationTemplateResponse, Error> {
        let mutability = Mutability::asked(
            input.image_tag_mutability,
            input.image_tag_mutability_exclusion_filters,
        )?;
        let (is_kms, kms_key) = template_encryption(input.encryption_configuration)?;
        let template = Template {
            prefix: input.prefix,
            description: input.description,
            applied_for: scenarios(&input.applied_for)?,
            tag_mutability: mutability.kind.as_str().to_owned(),
            tag_mutability_exclusions: mutability.filters_text(),
            repository_policy: self.template_policy(input.repository_policy).await?,
            resource_tags: merged([], input.resource_tags.unwrap_or_default()),
            custom_role_arn: self.template_role(cx, input.custom_role_arn).await?,
            lifecycle_policy: lifecycle_policy(input.lifecycle_policy)?,
            is_kms,
            kms_key,
        };
        check_tags(&template.resource_tags)?;
        let row = RepositoryTemplate {
            prefix: Template::key(&template.prefix).to_owned(),
            settings: template.text()?,
            created_at: cx.now_ms(),
            updated_at: cx.now_ms(),
        };
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut tx = self.configure(cx).await?;
        let conn = &mut tx.conn();
        let known = repository_template::find(conn, account, region, &row.prefix).await?;
        if known.is_some() {
            return Err(Error::TemplateAlreadyExists {
                prefix: template.prefix,
                registry_id: cx.account,
            });
        }
        if repository_template::count(conn, account, region).await? >= i64::from(TEMPLATES_MAX) {
            return Err(Error::LimitExceeded {
                what: "repository creation templates of a registry",
                max: u64::from(TEMPLATES_MAX),
            });
        }
        repository_template::put(conn, account, region, &row).await?;
        // Templates are read where they are needed: no cache has them.
        tx.commit().await?;
        Ok(CreateRepositoryCreationTemplateResponse {
            registry_id: Some(account.to_owned()),
            repository_creation_template: Some(self.shown(&row).await?),
        })
    }

    /// `UpdateRepositoryCreationTemplate`. What the request leaves out stays; an empty text removes what
    /// it stands for, as Terraform sends it.
    ///
    /// # Errors
    /// [`Error::TemplateNotFound`], and those of the settings.
    pub async fn update_repository_creation_template(
        &self,
        cx: &Authorized,
        input: UpdateRepositoryCreationTemplateRequest,
    ) -> Result<UpdateRepositoryCreationTemplateResponse, Error> {
        let encryption = match input.encryption_configuration {
            None => None,
            given => Some(template_encryption(given)?),
        };
        let policy = match input.repository_policy {
            None => None,
            given => Some(self.template_policy(given).await?),
        };
        let role = match input.custom_role_arn {
            None => None,
            given => Some(self.template_role(cx, given).await?),
        };
        let lifecycle = match input.lifecycle_policy {
            None => None,
            given => Some(lifecycle_policy(given)?),
        };
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut tx = self.configure(cx).await?;
        let mut row = existing(&mut tx, cx, &input.prefix).await?;
        let mut template = Template::stored(&row)?;
        if let Some(description) = input.description {
            template.description = Some(description);
        }
        if let Some(applied_for) = input.applied_for {
            template.applied_for = scenarios(&applied_for)?;
        }
        if let Some(tags) = input.resource_tags {
            template.resource_tags = merged([], tags);
            check_tags(&template.resource_tags)?;
        }
        let filters = input.image_tag_mutability_exclusion_filters;
        if input.image_tag_mutability.is_some() || filters.is_some() {
            let kind = match input.image_tag_mutability {
                Some(kind) => kind,
                None => template.mutability()?.kind,
            };
            let mutability = Mutability::asked(Some(kind), filters)?;
            template.tag_mutability = mutability.kind.as_str().to_owned();
            template.tag_mutability_exclusions = mutability.filters_text();
        }
        if let Some(encryption) = encryption {
            (template.is_kms, template.kms_key) = encryption;
        }
        template.repository_policy = policy.unwrap_or(template.repository_policy);
        template.custom_role_arn = role.unwrap_or(template.custom_role_arn);
        template.lifecycle_policy = lifecycle.unwrap_or(template.lifecycle_policy);
        row.settings = template.text()?;
        row.updated_at = cx.now_ms();
        repository_template::put(&mut tx.conn(), account, region, &row).await?;
        tx.commit().await?;
        Ok(UpdateRepositoryCreationTemplateResponse {
            registry_id: Some(account.to_owned()),
            repository_creation_template: Some(self.shown(&row).await?),
        })
    }

    /// `DeleteRepositoryCreationTemplate`. Repositories that were created by it stay as they are.
    ///
    /// # Errors
    /// [`Error::TemplateNotFound`].
    pub async fn delete_repository_creation_template(
        &self,
        cx: &Authorized,
        input: DeleteRepositoryCreationTemplateRequest,
    ) -> Result<DeleteRepositoryCreationTemplateResponse, Error> {
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut tx = self.configure(cx).await?;
        let row = existing(&mut tx, cx, &input.prefix).await?;
        repository_template::delete(&mut tx.conn(), account, region, &row.prefix).await?;
        tx.commit().await?;
        Ok(DeleteRepositoryCreationTemplateResponse {
            registry_id: Some(account.to_owned()),
            repository_creation_template: Some(self.shown(&row).await?),
        })
    }

    /// `DescribeRepositoryCreationTemplates`, in the order of prefixes. A prefix without a template is left
    /// out; the model has no error for it.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a token that no answer gave.
    pub async fn describe_repository_creation_templates(
        &self,
        cx: &Authorized,
        input: DescribeRepositoryCreationTemplatesRequest,
    ) -> Result<DescribeRepositoryCreationTemplatesResponse, Error> {
        let after = token::open(input.next_token.as_ref())?;
        let n = token::page_size(input.max_results);
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut rows = {
            let mut read = self.0.store.read().await?;
            let conn = &mut read.conn();
            let all = i64::from(TEMPLATES_MAX);
            repository_template::list(conn, account, region, &after, all).await?
        };
        if let Some(prefixes) = input.prefixes.filter(|prefixes| !prefixes.is_empty()) {
            let named = |row: &RepositoryTemplate| {
                let mut keys = prefixes.iter().map(|prefix| Template::key(prefix));
                keys.any(|key| key == row.prefix)
            };
            rows.retain(named);
        }
        let next_token = token::cut(&mut rows, n).map(|row| token::seal(&row.prefix));
        let mut templates = Vec::with_capacity(rows.len());
        for row in &rows {
            templates.push(self.shown(row).await?);
        }
        Ok(DescribeRepositoryCreationTemplatesResponse {
            registry_id: Some(account.to_owned()),
            repository_creation_templates: Some(templates),
            next_token,
        })
    }

    /// Creates a repository as a template says. The caller may create it (`ecr:CreateRepository`).
    ///
    /// # Errors
    /// Those of [`Registry::create_repository`], and [`Error::TemplateWithoutRole`].
    pub async fn create_templated_repository(
        &self,
        cx: &Authorized,
        repository: TemplatedRepository,
    ) -> Result<CreateRepositoryResponse, Error> {
        let TemplatedRepository {
            request,
            policy,
            lifecycle_policy,
            has_role,
            prefix,
        } = repository;
        // ECR user guide, "Creating a repository creation template": resource tags and a key need a role.
        let needs_role = request.tags.is_some() || request.encryption_configuration.is_some();
        if needs_role && !has_role {
            return Err(Error::TemplateWithoutRole { prefix });
        }
        let policies = Policies {
            repository: policy,
            lifecycle: lifecycle_policy,
        };
        self.create_with_policies(cx, request, policies).await
    }

    /// A template as the API shows it.
    async fn shown(&self, row: &RepositoryTemplate) -> Result<RepositoryCreationTemplate, Error> {
        let template = Template::stored(row)?;
        let mutability = template.mutability()?;
        let applied_for = template.applied_for.iter().map(|one| one.parse());
        let applied_for: Vec<RCTAppliedFor> = applied_for
            .collect::<Result<_, _>>()
            .map_err(Error::internal)?;
        let policy = match &template.repository_policy {
            Some(stored) => Some(self.show(stored, DocumentKind::EcrRepository).await?),
            None => None,
        };
        Ok(RepositoryCreationTemplate {
            resource_tags: template.tags(),
            prefix: Some(template.prefix),
            description: template.description,
            encryption_configuration: Some(EncryptionConfigurationForRepositoryCreationTemplate {
                encryption_type: match template.is_kms {
                    true => EncryptionType::Kms,
                    false => EncryptionType::Aes256,
                },
                kms_key: template.kms_key,
            }),
            image_tag_mutability: Some(mutability.kind),
            image_tag_mutability_exclusion_filters: mutability.filters(),
            repository_policy: policy,
            lifecycle_policy: template.lifecycle_policy,
            applied_for: Some(applied_for),
            custom_role_arn: template.custom_role_arn,
            created_at: Some(time(row.created_at)?),
            updated_at: Some(time(row.updated_at)?),
        })
    }

    /// The policy to store; none for an empty text.
    async fn template_policy(&self, text: Option<String>) -> Result<Option<String>, Error> {
        match text.filter(|text| !text.is_empty()) {
            Some(text) => Ok(Some(self.pin(&text, DocumentKind::EcrRepository).await?)),
            None => Ok(None),
        }
    }

    /// The role, which "must be in the same account as the registry" (ECR API,
    /// `CreateRepositoryCreationTemplate`); none for an empty text.
    async fn template_role(
        &self,
        cx: &Authorized,
        arn: Option<String>,
    ) -> Result<Option<String>, Error> {
        let Some(arn) = arn.filter(|arn| !arn.is_empty()) else {
            return Ok(None);
        };
        let is_own_role = arn.parse::<Arn>().is_ok_and(|arn| {
            let is_role = arn.service() == "iam" && arn.resource().starts_with("role/");
            is_role && arn.account() == cx.account.as_str()
        });
        let known = match is_own_role {
            true => self.0.principals.pin(&arn).await.map_err(Error::internal)?,
            false => Pinned::Unknown,
        };
        match known {
            Pinned::Unknown => Err(Error::parameter(
                "customRoleArn",
                "must be the ARN of a role in the account of the registry",
            )),
            Pinned::AsIs | Pinned::Id(_) => Ok(Some(arn)),
        }
    }
}

/// The template of a prefix, which must exist.
async fn existing(
    tx: &mut Write,
    cx: &Authorized,
    prefix: &str,
) -> Result<RepositoryTemplate, Error> {
    let (account, region) = (cx.account.as_str(), cx.region.as_str());
    let key = Template::key(prefix);
    let row = repository_template::find(&mut tx.conn(), account, region, key).await?;
    row.ok_or_else(|| Error::TemplateNotFound {
        prefix: prefix.to_owned(),
        registry_id: cx.account,
    })
}

/// The lifecycle policy to store; none for an empty text.
fn lifecycle_policy(text: Option<String>) -> Result<Option<String>, Error> {
    let text = text.filter(|text| !text.is_empty());
    if let Some(text) = &text {
        lifecycle::check(text)?;
    }
    Ok(text)
}

fn scenarios(applied_for: &[RCTAppliedFor]) -> Result<Vec<String>, Error> {
    if applied_for.is_empty() {
        return Err(Error::parameter("appliedFor", "must have a member"));
    }
    let mut names: Vec<String> = Vec::new();
    for scenario in applied_for {
        if names.iter().all(|known| known != scenario.as_str()) {
            names.push(scenario.as_str().to_owned());
        }
    }
    Ok(names)
}

/// Whether repositories are encrypted under a key, and under which. Here a key is named by its ARN alone (ECR
/// API, `EncryptionConfigurationForRepositoryCreationTemplate`).
fn template_encryption(
    asked: Option<EncryptionConfigurationForRepositoryCreationTemplate>,
) -> Result<(bool, Option<String>), Error> {
    let Some(asked) = asked else {
        return Ok((false, None));
    };
    let kms_key = asked.kms_key.filter(|key| !key.is_empty());
    let is_kms = asked.encryption_type == EncryptionType::Kms;
    check_encryption(&EncryptionConfiguration {
        encryption_type: asked.encryption_type,
        kms_key: kms_key.clone(),
    })?;
    match &kms_key {
        Some(key) if KeyId::of_arn(key).is_none() => Err(Error::parameter(
            "encryptionConfiguration.kmsKey",
            "must be the ARN of a key",
        )),
        _ => Ok((is_kms, kms_key)),
    }
}
