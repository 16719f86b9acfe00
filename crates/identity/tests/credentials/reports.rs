//! The credential report, and when services were last used.

use super::*;

#[on_every_engine]
async fn i5_the_credential_report_shows_what_there_is(t: TestStore) {
    let mut w = World::new(&t).await;
    let root = w.root().await;
    let i = w.identity.clone();
    assert_eq!(
        said(i.get_credential_report(&root, ()).await),
        ("ReportNotPresent".to_owned(), String::new())
    );
    let ada = w.user(&root, "ada").await;
    i.create_user(
        &root,
        iam::CreateUserRequest {
            user_name: "b,ob".to_owned(),
            ..Default::default()
        },
    )
    .await
    .unwrap();
    i.create_login_profile(&root, create("ada", "Correct-1"))
        .await
        .unwrap();
    let aged = iam::UpdateAccountPasswordPolicyRequest {
        max_password_age: Some(1),
        ..Default::default()
    };
    i.update_account_password_policy(&root, aged).await.unwrap();
    let cx = w.call(&ada).await.unwrap();
    i.touch_key_last_used(&cx.caller, "ecr", "eu-west-1", w.now);
    let started = i.generate_credential_report(&root, ()).await.unwrap();
    assert_eq!(started.state, Some(iam::ReportStateType::Started));
    assert_eq!(
        started.description.as_deref(),
        Some("No report exists. Starting a new report generation task")
    );
    let again = i.generate_credential_report(&root, ()).await.unwrap();
    assert_eq!(
        (again.state, again.description),
        (Some(iam::ReportStateType::Complete), None)
    );
    let report = i.get_credential_report(&root, ()).await.unwrap();
    assert_eq!(report.generated_time, Some(w.now));
    let text = String::from_utf8(report.content.unwrap().to_vec()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert!(
        lines[0].starts_with("user,arn,user_creation_time,password_enabled,")
            && lines[0].ends_with(",cert_2_last_rotated,additional_credentials_info")
    );
    let at = "2026-11-22T12:00:00Z";
    assert!(lines[1].starts_with(&format!("<root_account>,arn:aws:iam::{ACCOUNT}:root,{at},not_supported,no_information,not_supported,not_supported,false,true,{at},")), "{}", lines[1]);
    assert_eq!(
        lines[2],
        format!(
            "ada,arn:aws:iam::{ACCOUNT}:user/ada,{at},true,no_information,{at},2026-11-23T12:00:00Z,false,true,{at},{at},eu-west-1,ecr,\
             false,N/A,N/A,N/A,N/A,false,N/A,false,N/A,N/A"
        )
    );
    assert!(
        lines[3].starts_with(&format!(
            "\"b,ob\",\"arn:aws:iam::{ACCOUNT}:user/b,ob\",{at},false,N/A,N/A,N/A,false,false,N/A,"
        )),
        "{}",
        lines[3]
    );
    // An inactive key comes after the active one (LocalStack's test_credential_report).
    let off = iam::UpdateAccessKeyRequest {
        user_name: Some("ada".to_owned()),
        access_key_id: ada.id.clone(),
        status: iam::StatusType::Inactive,
    };
    i.update_access_key(&root, off).await.unwrap();
    w.key(&root, "ada").await.unwrap();
    w.pass(4 * 3600);
    let later = w.root_again(&root).await;
    assert_eq!(
        said(i.get_credential_report(&later, ()).await).0,
        "ReportExpired"
    );
    assert_eq!(
        i.generate_credential_report(&later, ())
            .await
            .unwrap()
            .state,
        Some(iam::ReportStateType::Started)
    );
    let report = i.get_credential_report(&later, ()).await.unwrap();
    assert_eq!(report.generated_time, Some(w.now));
    let text = String::from_utf8(report.content.unwrap().to_vec()).unwrap();
    let keys = format!(",true,{at},N/A,N/A,N/A,false,{at},{at},eu-west-1,ecr,false,");
    assert!(text.lines().nth(2).unwrap().contains(&keys), "{text}");
}

#[on_every_engine]
async fn i6_last_accessed_data_come_from_real_use(t: TestStore) {
    let mut w = World::new(&t).await;
    let root = w.root().await;
    let i = w.identity.clone();
    let (ada, eve) = (w.user(&root, "ada").await, w.user(&root, "eve").await);
    w.put_user_policy(&root, "ada", &allow("ecr:Get*")).await;
    let group = iam::CreateGroupRequest {
        group_name: "ops".to_owned(),
        ..Default::default()
    };
    i.create_group(&root, group).await.unwrap();
    let read_only = "arn:aws:iam::aws:policy/IAMReadOnlyAccess".to_owned();
    let attach = iam::AttachGroupPolicyRequest {
        group_name: "ops".to_owned(),
        policy_arn: read_only.clone(),
    };
    i.attach_group_policy(&root, attach).await.unwrap();
    let add = iam::AddUserToGroupRequest {
        group_name: "ops".to_owned(),
        user_name: "ada".to_owned(),
    };
    i.add_user_to_group(&root, add).await.unwrap();
    let cx = w.call(&ada).await.unwrap();
    i.touch_key_last_used(&cx.caller, "ecr", "eu-west-1", w.now);
    i.touch_key_last_used(&cx.caller, "sts", "us-east-1", w.now);
    i.flush_last_used().await.unwrap();

    let arn = |rest: &str| format!("arn:aws:iam::{ACCOUNT}:{rest}");
    let generate = |arn: String| iam::GenerateServiceLastAccessedDetailsRequest {
        arn,
        granularity: None,
    };
    assert_eq!(
        said(
            i.generate_service_last_accessed_details(&root, generate(arn("user/bob")))
                .await
        )
        .0,
        "NoSuchEntity"
    );
    let job = i
        .generate_service_last_accessed_details(&root, generate(arn("user/ada")))
        .await
        .unwrap()
        .job_id
        .unwrap();
    let get = |id: &str, max: Option<i32>, marker: Option<String>| {
        iam::GetServiceLastAccessedDetailsRequest {
            job_id: id.to_owned(),
            max_items: max,
            marker,
        }
    };
    let first = i
        .get_service_last_accessed_details(&root, get(&job, Some(1), None))
        .await
        .unwrap();
    assert_eq!(
        (first.job_status, first.is_truncated),
        (iam::JobStatusType::Completed, Some(true))
    );
    let [ecr] = &first.services_last_accessed[..] else {
        panic!("{first:?}")
    };
    assert_eq!(
        (
            ecr.service_namespace.as_str(),
            ecr.last_authenticated,
            ecr.total_authenticated_entities
        ),
        ("ecr", Some(w.now), Some(1))
    );
    assert_eq!(
        (
            ecr.last_authenticated_entity.as_deref(),
            ecr.last_authenticated_region.as_deref()
        ),
        (Some(arn("user/ada").as_str()), Some("eu-west-1"))
    );
    let second = i
        .get_service_last_accessed_details(&root, get(&job, Some(1), first.marker))
        .await
        .unwrap();
    let [iam_use] = &second.services_last_accessed[..] else {
        panic!("{second:?}")
    };
    // The group's policy allows it, and nobody used it; STS was used, and no policy allows it.
    assert_eq!(
        (
            iam_use.service_namespace.as_str(),
            iam_use.last_authenticated,
            iam_use.total_authenticated_entities
        ),
        ("iam", None, Some(0))
    );
    assert_eq!(second.is_truncated, Some(false));
    // A job is its maker's.
    let eve = w.call(&eve).await.unwrap();
    assert_eq!(
        said(
            i.get_service_last_accessed_details(&eve, get(&job, None, None))
                .await
        )
        .0,
        "NoSuchEntity"
    );

    let job = i
        .generate_service_last_accessed_details(&root, generate(arn("group/ops")))
        .await
        .unwrap()
        .job_id
        .unwrap();
    let with = |service: &str| iam::GetServiceLastAccessedDetailsWithEntitiesRequest {
        job_id: job.clone(),
        service_namespace: service.to_owned(),
        ..Default::default()
    };
    let entities = i
        .get_service_last_accessed_details_with_entities(&root, with("iam"))
        .await
        .unwrap()
        .entity_details_list;
    assert_eq!(
        entities
            .iter()
            .map(|entity| entity.entity_info.name.as_str())
            .collect::<Vec<_>>(),
        ["ada"]
    );
    assert_eq!(
        said(
            i.get_service_last_accessed_details_with_entities(&root, with("ecr"))
                .await
        )
        .0,
        "InvalidInput"
    );
    // 400 days later it does not count.
    w.pass(401 * 24 * 3600);
    let later = w.root_again(&root).await;
    let job = i
        .generate_service_last_accessed_details(&later, generate(arn("user/ada")))
        .await
        .unwrap()
        .job_id
        .unwrap();
    let report = i
        .get_service_last_accessed_details(&later, get(&job, None, None))
        .await
        .unwrap();
    assert!(
        report
            .services_last_accessed
            .iter()
            .all(|service| service.last_authenticated.is_none())
    );

    let granting = iam::ListPoliciesGrantingServiceAccessRequest {
        arn: arn("user/ada"),
        service_namespaces: vec!["ecr".to_owned(), "iam".to_owned(), "s3".to_owned()],
        ..Default::default()
    };
    let entries = i
        .list_policies_granting_service_access(&root, granting)
        .await
        .unwrap()
        .policies_granting_service_access;
    let names: Vec<_> = entries
        .iter()
        .map(|entry| {
            entry
                .policies
                .as_ref()
                .unwrap()
                .iter()
                .map(|policy| policy.policy_name.as_str())
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(names, [vec!["inline"], vec!["IAMReadOnlyAccess"], vec![]]);
    assert_eq!(
        entries[0].policies.as_ref().unwrap()[0]
            .entity_name
            .as_deref(),
        Some("ada")
    );
    assert_eq!(
        entries[1].policies.as_ref().unwrap()[0].policy_arn,
        Some(read_only)
    );
    let report = iam::GenerateOrganizationsAccessReportRequest {
        entity_path: "o-a1b2c3d4e5/r-abcd/123456789012".to_owned(),
        organizations_policy_id: None,
    };
    let job_id = i
        .generate_organizations_access_report(&root, report)
        .await
        .unwrap()
        .job_id
        .unwrap();
    let report = i
        .get_organizations_access_report(
            &root,
            iam::GetOrganizationsAccessReportRequest {
                job_id,
                ..Default::default()
            },
        )
        .await
        .unwrap();
    assert!(report.job_status == iam::JobStatusType::Failed && report.error_details.is_some());
}
