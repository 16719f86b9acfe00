import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tabs from "@cloudscape-design/components/tabs";
import { useEffect, useState } from "react";
import { describeFailure } from "../../lib/failure";
import { strings } from "../../strings";
import { CompanyForm } from "./CompanyForm";
import { FailedReturn } from "./FailedReturn";
import { failedReturn } from "./failedReturn";
import { KeyForm } from "./KeyForm";
import { lastAccount } from "./lastAccount";
import { linkToken } from "./link";
import { LinkForm } from "./LinkForm";
import { UserForm } from "./UserForm";

interface Props {
  /** The last session is over. */
  ended?: boolean;
  /** Why it is not known whether there is a session. */
  failure?: unknown;
}

/** The page for whoever is not signed in. It stands at the address that was asked for, so that it leads there. */
export default function SignIn({ ended = false, failure }: Props) {
  const text = strings.signIn;
  const [token, setToken] = useState(linkToken);
  useEffect(() => {
    document.title = strings.frame.title(text.title);
  }, [text.title]);
  return (
    <main>
      <Box margin={{ vertical: "xxl" }} padding="l">
        <div style={{ maxWidth: 480, marginInline: "auto" }}>
          <SpaceBetween size="l">
            <Box variant="h1" textAlign="center">
              {text.title}
            </Box>
            {failedReturn === undefined ? null : <FailedReturn {...failedReturn} />}
            {ended ? <Alert type="info">{text.ended}</Alert> : null}
            {failure === undefined ? null : (
              <Alert type="error" header={text.unknown}>
                {describeFailure(failure).message}
              </Alert>
            )}
            {window.isSecureContext ? (
              <Container>
                {token === undefined ? <Ways /> : <LinkForm token={token} onLeave={() => setToken(undefined)} />}
              </Container>
            ) : (
              <Alert type="error" header={strings.frame.needsTlsTitle}>
                {strings.frame.needsTls}
              </Alert>
            )}
          </SpaceBetween>
        </div>
      </Box>
    </main>
  );
}

function Ways() {
  const text = strings.signIn;
  // Who comes back from the company's provider, or came through it before, goes on there.
  const [tab, setTab] = useState(failedReturn === undefined && lastAccount() === "" ? "user" : "company");
  return (
    <Tabs
      ariaLabel={text.tabsLabel}
      activeTabId={tab}
      onChange={({ detail }) => setTab(detail.activeTabId)}
      tabs={[
        { id: "user", label: text.tabs.user, content: <UserForm /> },
        { id: "company", label: text.tabs.company, content: <CompanyForm /> },
        { id: "key", label: text.tabs.key, content: <KeyForm hint={text.keyHint} /> },
        { id: "root", label: text.tabs.root, content: <KeyForm hint={text.rootHint} /> },
      ]}
    />
  );
}
