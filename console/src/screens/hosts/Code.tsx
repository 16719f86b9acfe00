import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useEffect, useState } from "react";
import { useNavigate } from "react-router";
import type { Invitation } from "../../api/hosts";
import { shellWord } from "../../lib/commands/awsCli";
import { CodeBlock } from "../../parts/CodeBlock";
import { LeaveQuestion } from "../../parts/LeaveQuestion";
import { Time } from "../../parts/Values";
import { Page } from "../../parts/Page";
import { Secret } from "../../parts/Secret";
import { useLeaveGuard } from "../../parts/useLeaveGuard";
import { strings } from "../../strings";

/** The code of an invitation, shown once, with the command that takes it. */
export function Code({ invitation, hostName }: { invitation: Invitation; hostName: string }) {
  const text = strings.hosts;
  const navigate = useNavigate();
  const [isNoted, setIsNoted] = useState(false);
  const blocker = useLeaveGuard(!isNoted);
  useEffect(() => {
    if (isNoted) void navigate("/hosts");
  }, [isNoted, navigate]);
  // The code comes on standard input: other users of the host can read command lines.
  const name = hostName === "" ? "" : ` --host-name ${shellWord(hostName)}`;
  const command = `sudo berth agent join --endpoint-url ${shellWord(window.location.origin)}${name}`;
  return (
    <Page title={text.madeTitle} crumbs={[{ text: text.title, to: "/hosts" }]}>
      <Container>
        <SpaceBetween size="m">
          <Alert type="warning">{text.madeHint}</Alert>
          <CodeBlock code={command} label={text.commandLabel} copyLabel={text.copyCommand} />
          <Secret label={text.code} value={invitation.code} />
          <KeyValuePairs
            items={[{ label: text.expires, value: <Time time={new Date(invitation.expiresAt * 1000)} /> }]}
          />
          <Button variant="primary" onClick={() => setIsNoted(true)}>
            {text.done}
          </Button>
        </SpaceBetween>
      </Container>
      <LeaveQuestion blocker={blocker} question={text.leave} />
    </Page>
  );
}
