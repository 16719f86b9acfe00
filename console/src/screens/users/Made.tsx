import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useEffect, useState } from "react";
import { useNavigate } from "react-router";
import { useSession } from "../../api/current";
import { Failure } from "../../parts/Failure";
import { KeyShown } from "../../parts/iam/KeyShown";
import { LeaveQuestion } from "../../parts/LeaveQuestion";
import { Page } from "../../parts/Page";
import { useLeaveGuard } from "../../parts/useLeaveGuard";
import { strings } from "../../strings";
import type { MadeUser } from "./user-draft";

/** The credentials of a new user. Leaving asks first, because the secret cannot be shown again. */
export function Made({ made, password }: { made: MadeUser; password: string | undefined }) {
  const text = strings.users;
  const { account, accountAlias } = useSession();
  const navigate = useNavigate();
  const { userName, secretAccessKey } = made.credentials;
  const [isNoted, setIsNoted] = useState(secretAccessKey === undefined);
  const blocker = useLeaveGuard(!isNoted);
  const to = `/users/${encodeURIComponent(userName)}`;
  // After the guard is gone, so that it does not ask about the way that the button names.
  const [isLeaving, setIsLeaving] = useState(false);
  useEffect(() => {
    if (isLeaving) void navigate(to);
  }, [isLeaving, navigate, to]);
  const url = `${window.location.origin}/console/?account=${encodeURIComponent(accountAlias ?? account)}`;
  const credentials =
    password === undefined ? made.credentials : { ...made.credentials, password, signInUrl: url };
  return (
    <Page title={text.madeTitle(userName)} crumbs={[{ text: text.title, to: "/users" }]}>
      {made.failure === undefined ? null : (
        <>
          <Alert type="warning">{text.partly}</Alert>
          <Failure error={made.failure} />
        </>
      )}
      <Container>
        <SpaceBetween size="l">
          {secretAccessKey === undefined && password === undefined ? null : <KeyShown credentials={credentials} />}
          <Button
            variant="primary"
            onClick={() => {
              setIsNoted(true);
              setIsLeaving(true);
            }}
          >
            {text.toUser}
          </Button>
        </SpaceBetween>
      </Container>
      <LeaveQuestion blocker={blocker} question={text.leave} />
    </Page>
  );
}
