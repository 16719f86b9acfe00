//! Which images are to be scanned when. The settings are stored and shown; no scan runs yet.

use aws_api::ecr::{
    BatchGetRepositoryScanningConfigurationRequest,
    BatchGetRepositoryScanningConfigurationResponse, GetRegistryScanningConfigurationRequest,
    GetRegistryScanningConfigurationResponse, ImageScanningConfiguration,
    PutImageScanningConfigurationRequest, PutImageScanningConfigurationResponse,
    PutRegistryScanningConfigurationRequest, PutRegistryScanningConfigurationResponse,
    RepositoryScanningConfiguration, RepositoryScanningConfigurationFailure, ScanFrequency,
    ScanningConfigurationFailureCode,
};
use store::ecr::{registry_setting, repository};

use crate::facts::arn;
use crate::scan_rules::{self, ScanRules};
use crate::{Authorized, Error, Registry, RepositoryRef};

impl Registry {
    /// `GetRegistryScanningConfiguration`.
    ///
    /// # Errors
    /// The store's.
    pub async fn get_registry_scanning_configuration(
        &self,
        cx: &Authorized,
        _: GetRegistryScanningConfigurationRequest,
    ) -> Result<GetRegistryScanningConfigurationResponse, Error> {
        let facts = self.registry_facts(&cx.account, &cx.region).await?;
        Ok(GetRegistryScanningConfigurationResponse {
            registry_id: Some(cx.account.to_string()),
            scanning_configuration: Some(facts.scan_rules.shown()?),
        })
    }

    /// `PutRegistryScanningConfiguration`. Rules that the request leaves out are removed.
    ///
    /// # Errors
    /// [`Error::InvalidConfiguration`].
    pub async fn put_registry_scanning_configuration(
        &self,
        cx: &Authorized,
        input: PutRegistryScanningConfigurationRequest,
    ) -> Result<PutRegistryScanningConfigurationResponse, Error> {
        let rules = ScanRules::asked(input.scan_type, input.rules.unwrap_or_default())?;
        let text = rules.text()?;
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut tx = self.configure(cx).await?;
        let name = scan_rules::SETTING;
        registry_setting::put(&mut tx.conn(), account, region, name, &text).await?;
        self.configured(cx, tx).await?;
        Ok(PutRegistryScanningConfigurationResponse {
            registry_scanning_configuration: Some(rules.shown()?),
        })
    }

    /// `PutImageScanningConfiguration`: a stored setting.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`].
    pub async fn put_image_scanning_configuration(
        &self,
        cx: &Authorized,
        input: PutImageScanningConfigurationRequest,
    ) -> Result<PutImageScanningConfigurationResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let scan_on_push = input
            .image_scanning_configuration
            .scan_on_push
            .unwrap_or(false);
        let mut tx = self.write(repo.id).await?;
        if !repository::set_scan_on_push(&mut tx.conn(), repo.id, scan_on_push).await? {
            return Err(Error::RepositoryNotFound(repo.place()));
        }
        tx.commit().await?;
        Ok(PutImageScanningConfigurationResponse {
            registry_id: Some(repo.account.to_string()),
            repository_name: Some(repo.name.to_string()),
            image_scanning_configuration: Some(ImageScanningConfiguration {
                scan_on_push: Some(scan_on_push),
            }),
        })
    }

    /// `BatchGetRepositoryScanningConfiguration`.
    ///
    /// # Errors
    /// The store's; a repository that is missing is one of the answer's failures.
    pub async fn batch_get_repository_scanning_configuration(
        &self,
        cx: &Authorized,
        input: BatchGetRepositoryScanningConfigurationRequest,
    ) -> Result<BatchGetRepositoryScanningConfigurationResponse, Error> {
        let (owner, region) = (cx.account.as_str(), cx.region.as_str());
        let facts = self.registry_facts(&cx.account, &cx.region).await?;
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        let mut read = self.0.store.read().await?;
        for name in input.repository_names {
            match repository::find(&mut read.conn(), owner, region, &name).await? {
                Some(row) => {
                    let planned = facts.scan_rules.plan(&name, row.scan_on_push);
                    found.push(RepositoryScanningConfiguration {
                        repository_arn: Some(arn(&cx.account, &cx.region, &name)),
                        repository_name: Some(name),
                        scan_on_push: Some(planned.frequency == Some(ScanFrequency::ScanOnPush)),
                        scan_frequency: planned.frequency,
                        applied_scan_filters: Some(planned.filters),
                    });
                }
                None => {
                    let place = RepositoryRef {
                        repository: name.clone(),
                        registry_id: cx.account,
                    };
                    failures.push(RepositoryScanningConfigurationFailure {
                        repository_name: Some(name),
                        failure_code: Some(ScanningConfigurationFailureCode::RepositoryNotFound),
                        failure_reason: Some(Error::RepositoryNotFound(place).to_string()),
                    });
                }
            }
        }
        Ok(BatchGetRepositoryScanningConfigurationResponse {
            scanning_configurations: Some(found),
            failures: Some(failures),
        })
    }
}
