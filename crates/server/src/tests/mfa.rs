//! MFA on the wire: a code in a trust policy, in a session, and used twice.

use aws_api::{iam, sts};

use super::world::{ACCOUNT, Person, Refused, World, document, statement};

/// An authenticator application.
pub(super) struct Phone {
    pub(super) serial: String,
    seed: Vec<u8>,
}

impl Phone {
    /// A device of root's making that is enabled for `user`.
    pub(super) async fn of(world: &World, user: &str) -> Phone {
        let input = iam::CreateVirtualMFADeviceRequest {
            virtual_mfa_device_name: user.to_owned(),
            ..Default::default()
        };
        let made = world
            .aws::<iam::ops::CreateVirtualMFADevice>(&world.root, &input)
            .await
            .unwrap()
            .virtual_mfa_device;
        let text = made.base32_string_seed.unwrap().expose().clone();
        let digit = |c: u8| match c {
            b'A'..=b'Z' => u64::from(c - b'A'),
            _ => u64::from(c - b'2') + 26,
        };
        let bytes = |group: &[u8]| {
            let bits = group.iter().fold(0, |bits, c| (bits << 5) | digit(*c));
            bits.to_be_bytes()[3..].to_vec()
        };
        let phone = Phone {
            serial: made.serial_number,
            seed: text.chunks(8).flat_map(bytes).collect(),
        };
        let input = iam::EnableMFADeviceRequest {
            user_name: user.to_owned(),
            serial_number: phone.serial.clone(),
            authentication_code1: phone.code(world, -1).into(),
            authentication_code2: phone.code(world, 0).into(),
        };
        world
            .aws::<iam::ops::EnableMFADevice>(&world.root, &input)
            .await
            .unwrap();
        phone
    }

    /// The code of a step, counted from now (RFC 6238).
    pub(super) fn code(&self, world: &World, step: i64) -> String {
        use aws_lc_rs::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
        let step = world.now().as_second() / 30 + step;
        let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.seed);
        let tag = sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let at = usize::from(tag[19] & 15);
        let number = u32::from_be_bytes(tag[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }
}

/// A role that trusts `alice` under a condition.
async fn role(world: &World, condition: &str) {
    let trust = format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:user/alice"}},"Action":"sts:AssumeRole","Condition":{condition}}}"#
    );
    let input = iam::CreateRoleRequest {
        role_name: "ops".into(),
        assume_role_policy_document: document(&trust),
        ..Default::default()
    };
    world
        .aws::<iam::ops::CreateRole>(&world.root, &input)
        .await
        .unwrap();
}

fn assume(phone: &Phone, code: Option<String>) -> sts::AssumeRoleRequest {
    sts::AssumeRoleRequest {
        role_arn: format!("arn:aws:iam::{ACCOUNT}:role/ops"),
        role_session_name: "job".into(),
        serial_number: code.is_some().then(|| phone.serial.clone()),
        token_code: code.map(Into::into),
        ..Default::default()
    }
}

async fn session(
    world: &World,
    person: &Person,
    input: sts::GetSessionTokenRequest,
) -> Result<Person, Refused> {
    let made = world
        .aws::<sts::ops::GetSessionToken>(person, &input)
        .await?
        .credentials
        .unwrap();
    Ok(Person {
        id: made.access_key_id,
        secret: made.secret_access_key.expose().clone(),
        token: Some(made.session_token.expose().clone()),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f4_a_code_counts_in_the_trust_policy_alone() {
    let world = World::new().await;
    let alice = world.user(&world.root, "alice", "").await;
    let phone = Phone::of(&world, "alice").await;
    role(
        &world,
        r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericLessThan":{"aws:MultiFactorAuthAge":"300"}}"#,
    )
    .await;
    world.pass(60);
    let denied = world.assume(&alice, &assume(&phone, None)).await;
    assert_eq!(denied.unwrap_err().code, "AccessDenied");
    let code = phone.code(&world, 0);
    let with_code = assume(&phone, Some(code));
    let job = world.assume(&alice, &with_code).await.unwrap();
    let caller = world.caller(&job).await;
    assert_eq!(
        caller.context.one("aws:MultiFactorAuthPresent"),
        Some("false")
    );
    // F3: the same code once more.
    let again = world.assume(&alice, &with_code).await.unwrap_err();
    assert_eq!((again.status, again.code.as_str()), (403, "AccessDenied"));
    assert_eq!(
        again.message,
        "MultiFactorAuthentication failed with invalid MFA one time pass code."
    );
    // A role session has no devices.
    let of_job = world
        .assume(&job, &assume(&phone, Some(phone.code(&world, 1))))
        .await;
    assert_eq!(of_job.unwrap_err().code, "AccessDenied");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f4_policies_see_mfa_of_a_session_and_its_age() {
    let world = World::new().await;
    let with_mfa = statement("Allow", &["iam:GetUser"], "*").replacen(
        '{',
        r#"{"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericLessThan":{"aws:MultiFactorAuthAge":"600"}},"#,
        1,
    );
    let alice = world.user(&world.root, "alice", &with_mfa).await;
    let phone = Phone::of(&world, "alice").await;
    world.pass(60);
    let get = iam::GetUserRequest::default();
    let denied = world.aws::<iam::ops::GetUser>(&alice, &get).await;
    assert_eq!(denied.unwrap_err().code, "AccessDenied");
    let plain = session(&world, &alice, Default::default()).await.unwrap();
    let refused = world.aws::<iam::ops::GetUser>(&plain, &get).await;
    assert_eq!(refused.unwrap_err().code, "InvalidClientTokenId");

    let input = sts::GetSessionTokenRequest {
        serial_number: Some(phone.serial.clone()),
        token_code: Some(phone.code(&world, 0).into()),
        ..Default::default()
    };
    let strong = session(&world, &alice, input).await.unwrap();
    world.pass(599);
    let shown = world.aws::<iam::ops::GetUser>(&strong, &get).await;
    assert_eq!(shown.unwrap().user.user_name, "alice");
    world.pass(1);
    let old = world.aws::<iam::ops::GetUser>(&strong, &get).await;
    assert_eq!(old.unwrap_err().code, "AccessDenied");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seeds_and_codes_reach_no_audit_event() {
    let world = World::new().await;
    let alice = world.user(&world.root, "alice", "").await;
    let phone = Phone::of(&world, "alice").await;
    world.pass(60);
    let code = phone.code(&world, 0);
    let input = sts::GetSessionTokenRequest {
        serial_number: Some(phone.serial.clone()),
        token_code: Some(code.as_str().into()),
        ..Default::default()
    };
    session(&world, &alice, input).await.unwrap();
    let enable = phone.code(&world, -2);
    let events = world.stop().await;
    let find = |name: &str| events.iter().find(|event| event["eventName"] == name);
    for name in [
        "CreateVirtualMFADevice",
        "EnableMFADevice",
        "GetSessionToken",
    ] {
        let event = find(name).unwrap().to_string();
        assert!(
            !event.contains(&code) && !event.contains(&enable),
            "{event}"
        );
        assert!(!event.to_lowercase().contains("base32"), "{event}");
    }
}
