//! Invitations of accounts, and the members' consent to all features.

use aws_api::Secret;
use aws_api::organizations::{
    AcceptHandshakeRequest, AcceptHandshakeResponse, ActionType, CancelHandshakeRequest,
    CancelHandshakeResponse, DeclineHandshakeRequest, DeclineHandshakeResponse,
    DescribeHandshakeRequest, DescribeHandshakeResponse, EnableAllFeaturesRequest,
    EnableAllFeaturesResponse, Handshake as HandshakeView, HandshakeFilter, HandshakeParty,
    HandshakePartyType, HandshakeResource, HandshakeResourceType, HandshakeState,
    InviteAccountToOrganizationRequest, InviteAccountToOrganizationResponse,
    ListHandshakesForAccountRequest, ListHandshakesForAccountResponse,
    ListHandshakesForOrganizationRequest, ListHandshakesForOrganizationResponse, Tag,
};
use jiff::SignedDuration;
use store::iam::account;
use store::organizations::handshake::{self, Handshake};
use store::organizations::member;
use store::organizations::organization::{self, Organization};
use store::{Conn, Topic};

use super::accounts::email_of;
use super::lifecycle::attach_everywhere;
use super::paging::Page;
use super::{ALL_FEATURES, Organizations, SERVICE_CONTROL, decided, join, messages, tags, time};
use crate::{Authorized, Error};

/// How long an invitation is open, and how long a request to enable all features (Organizations User Guide,
/// "Quotas for AWS Organizations").
const INVITATION_LIFETIME: SignedDuration = SignedDuration::from_hours(15 * 24);
const FEATURES_LIFETIME: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Handshakes that an organization begins in a day.
const DAILY_MAX: i64 = 20;
const DAY: SignedDuration = SignedDuration::from_hours(24);

impl Organizations {
    /// `InviteAccountToOrganization`, by account id or by e-mail address. Whether there is such an account
    /// is not told; only who has it finds the invitation.
    ///
    /// # Errors
    /// `DuplicateHandshakeException`; `HandshakeConstraintViolationException` for a member and for too many
    /// in a day; `InvalidInputException` for what is no account.
    pub async fn invite_account_to_organization(
        &self,
        cx: &Authorized,
        input: InviteAccountToOrganizationRequest,
    ) -> Result<InviteAccountToOrganizationResponse, Error> {
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = decided(&mut conn, cx).await?;
        let party = input.target.id.expose();
        let invited = match input.target.r#type {
            HandshakePartyType::Account => {
                if !policy_account_id(party) {
                    return Err(messages::invalid(
                        "INVALID_PATTERN_TARGET_ID",
                        "The policy target ID you specified does not match the required pattern.",
                    ));
                }
                party.clone()
            }
            HandshakePartyType::Email => {
                let found = account::find_by_email(&mut conn, party).await?;
                found.map(|found| found.id).unwrap_or_default()
            }
            HandshakePartyType::Organization => {
                return Err(messages::invalid(
                    "INVALID_PARTY_TYPE_TARGET",
                    "You specified the wrong type of entity as a party to a handshake.",
                ));
            }
        };
        let own = &organization.id;
        if member::find(&mut conn, own, &invited).await?.is_some() {
            return Err(messages::handshake(
                "ALREADY_IN_AN_ORGANIZATION",
                "The invited account is already a member of an organization.",
            ));
        }
        let action = ActionType::Invite;
        let now = cx.now_ms();
        let open = handshake::find_open(&mut conn, own, action.as_str(), party, now).await?;
        if open.is_some() {
            return Err(messages::duplicate_handshake());
        }
        self.check_rate(&mut conn, cx, own).await?;
        let notes = input.notes.as_ref().map(|notes| notes.expose().clone());
        let created = Handshake {
            account: invited,
            party_type: input.target.r#type.as_str().to_owned(),
            party_id: party.clone(),
            notes,
            tags: pack(input.tags)?,
            ..self.handshake(cx, &organization, action, INVITATION_LIFETIME)?
        };
        handshake::insert(&mut conn, &created).await?;
        let view = view(&mut conn, cx, &created).await?;
        tx.commit().await?;
        Ok(InviteAccountToOrganizationResponse {
            handshake: Some(view),
        })
    }

    /// `EnableAllFeatures`: each invited member must consent; then the management account accepts.
    ///
    /// # Errors
    /// `HandshakeConstraintViolationException` when the organization has all features already, or was
    /// asked before.
    pub async fn enable_all_features(
        &self,
        cx: &Authorized,
        _: EnableAllFeaturesRequest,
    ) -> Result<EnableAllFeaturesResponse, Error> {
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = decided(&mut conn, cx).await?;
        if organization.feature_set == ALL_FEATURES {
            return Err(messages::handshake(
                "ORGANIZATION_ALREADY_HAS_ALL_FEATURES",
                "The organization already has all features enabled.",
            ));
        }
        let (own, now) = (&organization.id, cx.now_ms());
        let action = ActionType::EnableAllFeatures;
        if handshake::find_open(&mut conn, own, action.as_str(), own, now)
            .await?
            .is_some()
        {
            return Err(messages::handshake(
                "ORGANIZATION_IS_ALREADY_PENDING_ALL_FEATURES_MIGRATION",
                "The organization has already started the process to enable all features.",
            ));
        }
        let mut created = Handshake {
            account: organization.management_account.clone(),
            party_type: HandshakePartyType::Organization.as_str().to_owned(),
            party_id: own.clone(),
            ..self.handshake(cx, &organization, action, FEATURES_LIFETIME)?
        };
        for id in member::ids(&mut conn, own).await? {
            let found = member::find(&mut conn, own, &id).await?;
            let consents = found.is_some_and(|found| found.joined_method == "INVITED");
            if !consents || id == organization.management_account {
                continue;
            }
            created.state = HandshakeState::Requested.as_str().to_owned();
            let part = Handshake {
                account: id.clone(),
                party_type: HandshakePartyType::Account.as_str().to_owned(),
                party_id: id,
                parent: Some(created.id.clone()),
                ..self.handshake(
                    cx,
                    &organization,
                    ActionType::ApproveAllFeatures,
                    FEATURES_LIFETIME,
                )?
            };
            handshake::insert(&mut conn, &part).await?;
        }
        handshake::insert(&mut conn, &created).await?;
        let view = view(&mut conn, cx, &created).await?;
        tx.commit().await?;
        Ok(EnableAllFeaturesResponse {
            handshake: Some(view),
        })
    }

    /// `AcceptHandshake`: the invited account joins at the root; a member consents to all features; or the
    /// management account, once all consent, enables them.
    ///
    /// # Errors
    /// `HandshakeNotFoundException`, `InvalidHandshakeTransitionException`,
    /// `HandshakeAlreadyInStateException`; `HandshakeConstraintViolationException` for an account that is in
    /// an organization.
    pub async fn accept_handshake(
        &self,
        cx: &Authorized,
        input: AcceptHandshakeRequest,
    ) -> Result<AcceptHandshakeResponse, Error> {
        let account = cx.account.as_str();
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let accepted = HandshakeState::Accepted;
        let mut found = party(&mut conn, cx, &input.handshake_id, Side::Invited).await?;
        transition(&found, accepted, cx.now_ms())?;
        let organization = organization::find(&mut conn, &found.organization).await?;
        let organization = organization.ok_or_else(messages::bad_transition)?;
        found.state = accepted.as_str().to_owned();
        handshake::set_state(&mut conn, &found.id, &found.state).await?;
        match found.action.parse::<ActionType>() {
            Ok(ActionType::Invite) => {
                if organization::of_account(&mut conn, account)
                    .await?
                    .is_some()
                {
                    return Err(messages::handshake(
                        "ALREADY_IN_AN_ORGANIZATION",
                        "The invited account is already a member of an organization.",
                    ));
                }
                let (accounts, _) = member::count(&mut conn, &organization.id, 0).await?;
                if accounts >= self.0.0.settings.organization_accounts_max {
                    return Err(messages::handshake(
                        "ACCOUNT_NUMBER_LIMIT_EXCEEDED",
                        "You have exceeded the allowed number of AWS accounts.",
                    ));
                }
                tags::put(&mut conn, &organization.id, account, unpack(&found.tags)?).await?;
                join(&mut tx, &organization, account, "INVITED", cx.now_ms()).await?;
            }
            Ok(ActionType::ApproveAllFeatures) => {
                if let Some(parent) = &found.parent
                    && handshake::open_parts(&mut conn, parent).await? == 0
                {
                    let open = HandshakeState::Open.as_str();
                    handshake::set_state(&mut conn, parent, open).await?;
                }
            }
            Ok(ActionType::EnableAllFeatures) => {
                let own = &organization.id;
                organization::set_feature_set(&mut conn, own, ALL_FEATURES).await?;
                organization::enable_policy_type(&mut conn, own, SERVICE_CONTROL).await?;
                attach_everywhere(&mut conn, &organization, SERVICE_CONTROL).await?;
                tx.touch(Topic::Organization(own));
            }
            _ => return Err(messages::bad_transition()),
        }
        let view = view(&mut tx.conn(), cx, &found).await?;
        tx.commit().await?;
        Ok(AcceptHandshakeResponse {
            handshake: Some(view),
        })
    }

    /// `DeclineHandshake`: by who was invited.
    ///
    /// # Errors
    /// `HandshakeNotFoundException`, `InvalidHandshakeTransitionException`,
    /// `HandshakeAlreadyInStateException`.
    pub async fn decline_handshake(
        &self,
        cx: &Authorized,
        input: DeclineHandshakeRequest,
    ) -> Result<DeclineHandshakeResponse, Error> {
        let declined = HandshakeState::Declined;
        let ended = self.end(cx, &input.handshake_id, Side::Invited, declined);
        Ok(DeclineHandshakeResponse {
            handshake: Some(ended.await?),
        })
    }

    /// `CancelHandshake`: by who invited.
    ///
    /// # Errors
    /// `HandshakeNotFoundException`, `InvalidHandshakeTransitionException`,
    /// `HandshakeAlreadyInStateException`.
    pub async fn cancel_handshake(
        &self,
        cx: &Authorized,
        input: CancelHandshakeRequest,
    ) -> Result<CancelHandshakeResponse, Error> {
        let canceled = HandshakeState::Canceled;
        let ended = self.end(cx, &input.handshake_id, Side::Inviting, canceled);
        Ok(CancelHandshakeResponse {
            handshake: Some(ended.await?),
        })
    }

    /// `DescribeHandshake`: for both sides.
    ///
    /// # Errors
    /// `HandshakeNotFoundException`.
    pub async fn describe_handshake(
        &self,
        cx: &Authorized,
        input: DescribeHandshakeRequest,
    ) -> Result<DescribeHandshakeResponse, Error> {
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let found = party(&mut conn, cx, &input.handshake_id, Side::Either).await?;
        Ok(DescribeHandshakeResponse {
            handshake: Some(view(&mut conn, cx, &found).await?),
        })
    }

    /// `ListHandshakesForAccount`: those that invite the caller's account. Filters act within a page, so a
    /// page may be empty and not the last.
    ///
    /// # Errors
    /// `InvalidInputException` for a token.
    pub async fn list_handshakes_for_account(
        &self,
        cx: &Authorized,
        input: ListHandshakesForAccountRequest,
    ) -> Result<ListHandshakesForAccountResponse, Error> {
        let page = Page::new(input.max_results, input.next_token.as_deref())?;
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let (account, after) = (cx.account.as_str(), &page.after);
        let found = handshake::of_account(&mut conn, account, after, page.rows()).await?;
        let (found, next_token) = page.cut(found, |handshake| &handshake.id);
        Ok(ListHandshakesForAccountResponse {
            handshakes: Some(views(&mut conn, cx, found, input.filter).await?),
            next_token,
        })
    }

    /// `ListHandshakesForOrganization`: those that the organization began.
    ///
    /// # Errors
    /// `InvalidInputException` for a token.
    pub async fn list_handshakes_for_organization(
        &self,
        cx: &Authorized,
        input: ListHandshakesForOrganizationRequest,
    ) -> Result<ListHandshakesForOrganizationResponse, Error> {
        let page = Page::new(input.max_results, input.next_token.as_deref())?;
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = decided(&mut conn, cx).await?;
        let (own, after) = (&organization.id, &page.after);
        let found = handshake::of_organization(&mut conn, own, after, page.rows()).await?;
        let (found, next_token) = page.cut(found, |handshake| &handshake.id);
        Ok(ListHandshakesForOrganizationResponse {
            handshakes: Some(views(&mut conn, cx, found, input.filter).await?),
            next_token,
        })
    }

    async fn end(
        &self,
        cx: &Authorized,
        id: &str,
        side: Side,
        state: HandshakeState,
    ) -> Result<HandshakeView, Error> {
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let mut found = party(&mut conn, cx, id, side).await?;
        transition(&found, state, cx.now_ms())?;
        found.state = state.as_str().to_owned();
        handshake::set_state(&mut conn, &found.id, &found.state).await?;
        let view = view(&mut conn, cx, &found).await?;
        tx.commit().await?;
        Ok(view)
    }

    async fn check_rate(
        &self,
        conn: &mut Conn<'_>,
        cx: &Authorized,
        own: &str,
    ) -> Result<(), Error> {
        let since = cx.now.saturating_sub(DAY).map_err(Error::internal)?;
        match handshake::count_since(conn, own, since.as_millisecond()).await? >= DAILY_MAX {
            true => Err(messages::handshake(
                "HANDSHAKE_RATE_LIMIT_EXCEEDED",
                "You have exceeded the number of handshakes that you can send in one day.",
            )),
            false => Ok(()),
        }
    }

    /// An open handshake that begins now; who it is with is to be filled in.
    fn handshake(
        &self,
        cx: &Authorized,
        organization: &Organization,
        action: ActionType,
        lifetime: SignedDuration,
    ) -> Result<Handshake, Error> {
        let expires = cx.now.saturating_add(lifetime).map_err(Error::internal)?;
        Ok(Handshake {
            id: self.fresh_id::<16>("h-")?,
            organization: organization.id.clone(),
            management_account: organization.management_account.clone(),
            action: action.as_str().to_owned(),
            state: HandshakeState::Open.as_str().to_owned(),
            requested_at: cx.now_ms(),
            expires_at: expires.as_millisecond(),
            account: String::new(),
            party_type: String::new(),
            party_id: String::new(),
            notes: None,
            tags: "[]".to_owned(),
            parent: None,
        })
    }
}

fn policy_account_id(text: &str) -> bool {
    text.parse::<aws_types::AccountId>().is_ok()
}

/// Which side of a handshake the caller must be on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Inviting,
    Invited,
    Either,
}

/// The handshake, if the caller's account is on that side of it. To others it does not exist.
async fn party(
    conn: &mut Conn<'_>,
    cx: &Authorized,
    id: &str,
    side: Side,
) -> Result<Handshake, Error> {
    let account = cx.account.as_str();
    let found = handshake::find(conn, id).await?;
    let found = found.ok_or_else(messages::no_handshake)?;
    let invited = found.account == account;
    let inviting = found.management_account == account;
    let is_party = match side {
        Side::Inviting => inviting,
        Side::Invited => invited,
        Side::Either => invited || inviting,
    };
    match is_party {
        true => Ok(found),
        false => Err(messages::no_handshake()),
    }
}

/// The state now: one that nobody answered in time has expired.
fn state(handshake: &Handshake, now: i64) -> HandshakeState {
    let stored = handshake.state.parse().unwrap_or_default();
    let is_open = matches!(stored, HandshakeState::Requested | HandshakeState::Open);
    match is_open && now >= handshake.expires_at {
        true => HandshakeState::Expired,
        false => stored,
    }
}

/// Only an open handshake can be answered; one that waits for others can be canceled as well.
fn transition(handshake: &Handshake, to: HandshakeState, now: i64) -> Result<(), Error> {
    match state(handshake, now) {
        HandshakeState::Open => Ok(()),
        HandshakeState::Requested if to == HandshakeState::Canceled => Ok(()),
        same if same == to => Err(messages::handshake_in_state()),
        _ => Err(messages::bad_transition()),
    }
}

async fn views(
    conn: &mut Conn<'_>,
    cx: &Authorized,
    found: Vec<Handshake>,
    filter: Option<HandshakeFilter>,
) -> Result<Vec<HandshakeView>, Error> {
    let filter = filter.unwrap_or_default();
    let wanted = |handshake: &&Handshake| {
        let action = filter.action_type;
        let parent = filter.parent_handshake_id.as_ref();
        action.is_none_or(|action| action.as_str() == handshake.action)
            && parent.is_none_or(|parent| handshake.parent.as_ref() == Some(parent))
    };
    let mut views = Vec::new();
    for handshake in found.iter().filter(wanted) {
        views.push(view(conn, cx, handshake).await?);
    }
    Ok(views)
}

/// What both sides see: who invites whom, and of the organization the management account's name and
/// address.
async fn view(
    conn: &mut Conn<'_>,
    cx: &Authorized,
    handshake: &Handshake,
) -> Result<HandshakeView, Error> {
    let management = &handshake.management_account;
    let account = account::find(conn, management).await?;
    let name = account.as_ref().map(|account| account.name.clone());
    let email = email_of(account.and_then(|account| account.email), management);
    let organization = organization::find(conn, &handshake.organization).await?;
    let feature_set = organization.map(|organization| organization.feature_set);
    let resource = |kind, value: Option<String>| HandshakeResource {
        value: value.map(Secret::new),
        r#type: Some(kind),
        resources: None,
    };
    let inviting = HandshakeResource {
        resources: Some(vec![
            resource(HandshakeResourceType::MasterEmail, Some(email)),
            resource(HandshakeResourceType::MasterName, name),
            resource(HandshakeResourceType::OrganizationFeatureSet, feature_set),
        ]),
        ..resource(
            HandshakeResourceType::Organization,
            Some(handshake.organization.clone()),
        )
    };
    let mut resources = vec![inviting];
    let party_type: HandshakePartyType = handshake.party_type.parse().unwrap_or_default();
    let mut parties = vec![HandshakeParty {
        id: Secret::new(handshake.organization.trim_start_matches("o-").to_owned()),
        r#type: HandshakePartyType::Organization,
    }];
    if party_type != HandshakePartyType::Organization {
        let kind = match party_type {
            HandshakePartyType::Email => HandshakeResourceType::Email,
            _ => HandshakeResourceType::Account,
        };
        resources.push(resource(kind, Some(handshake.party_id.clone())));
        parties.push(HandshakeParty {
            id: Secret::new(handshake.party_id.clone()),
            r#type: party_type,
        });
    }
    if let Some(parent) = &handshake.parent {
        let kind = HandshakeResourceType::ParentHandshake;
        resources.push(resource(kind, Some(parent.clone())));
    }
    if let Some(notes) = &handshake.notes {
        resources.push(resource(HandshakeResourceType::Notes, Some(notes.clone())));
    }
    let kind = handshake.action.to_lowercase();
    let (own, id) = (&handshake.organization, &handshake.id);
    Ok(HandshakeView {
        id: Some(id.clone()),
        arn: Some(format!(
            "arn:aws:organizations::{management}:handshake/{own}/{kind}/{id}"
        )),
        parties: Some(parties),
        state: Some(state(handshake, cx.now_ms())),
        requested_timestamp: time(handshake.requested_at),
        expiration_timestamp: time(handshake.expires_at),
        action: handshake.action.parse().ok(),
        resources: Some(resources),
    })
}

fn pack(tags: Option<Vec<Tag>>) -> Result<String, Error> {
    let tags = tags.unwrap_or_default();
    let pairs: Vec<(String, String)> = tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    serde_json::to_string(&pairs).map_err(Error::internal)
}

fn unpack(tags: &str) -> Result<Option<Vec<Tag>>, Error> {
    let pairs: Vec<(String, String)> = serde_json::from_str(tags).map_err(Error::internal)?;
    let tags = pairs.into_iter().map(|(key, value)| Tag { key, value });
    Ok(Some(tags.collect()))
}
