import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useEffect, useState, type SyntheticEvent } from "react";
import { region, setSession } from "../../api/current";
import { signInByKey } from "../../api/session";
import { describeFailure } from "../../lib/failure";
import { strings } from "../../strings";

interface Props {
  /** The last session is over. */
  ended?: boolean;
  /** Why it is not known whether there is a session. */
  failure?: unknown;
}

/** The page for whoever is not signed in. It stands at the address that was asked for, so that it leads there. */
export default function SignIn({ ended = false, failure }: Props) {
  const text = strings.signIn;
  useEffect(() => {
    document.title = strings.frame.title(text.title);
  }, [text.title]);
  return (
    <main>
      <Box margin={{ vertical: "xxl" }} padding="l">
        <SpaceBetween size="l">
          <Box variant="h1" textAlign="center">
            {text.title}
          </Box>
          {ended ? <Alert type="info">{text.ended}</Alert> : null}
          {failure === undefined ? null : (
            <Alert type="error" header={text.unknown}>
              {describeFailure(failure).message}
            </Alert>
          )}
          {window.isSecureContext ? (
            <KeyForm />
          ) : (
            <Alert type="error" header={strings.frame.needsTlsTitle}>
              {strings.frame.needsTls}
            </Alert>
          )}
        </SpaceBetween>
      </Box>
    </main>
  );
}

function KeyForm() {
  const text = strings.signIn;
  const [accessKeyId, setAccessKeyId] = useState("");
  const [secret, setSecret] = useState("");
  const [isWaiting, setIsWaiting] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const submit = async (event: SyntheticEvent) => {
    event.preventDefault();
    setIsWaiting(true);
    setFailure(undefined);
    try {
      setSession(await signInByKey(accessKeyId.trim(), secret.trim(), region()));
    } catch (error) {
      setFailure(error);
      setIsWaiting(false);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Container>
        <Form
          actions={
            <Button variant="primary" loading={isWaiting} formAction="submit">
              {text.submit}
            </Button>
          }
          {...(failure === undefined ? {} : { errorText: describeFailure(failure).message })}
        >
          <SpaceBetween size="m">
            <FormField label={text.accessKeyId}>
              <Input value={accessKeyId} autoComplete="username" onChange={({ detail }) => setAccessKeyId(detail.value)} />
            </FormField>
            <FormField label={text.secretAccessKey}>
              <Input
                type="password"
                value={secret}
                autoComplete="current-password"
                onChange={({ detail }) => setSecret(detail.value)}
              />
            </FormField>
          </SpaceBetween>
        </Form>
      </Container>
    </form>
  );
}
