import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { useEffect, useState, type SyntheticEvent } from "react";
import { chooseRole, fetchRoles, type Roles } from "../../api/federation";
import { describeFailure } from "../../lib/failure";
import { strings } from "../../strings";

/** The choice of a role by a person who came back from an identity provider and may take several. */
export function RoleChoice() {
  const text = strings.companySignIn.choice;
  const [found, setFound] = useState<Roles>();
  const [role, setRole] = useState<string>();
  const [isWaiting, setIsWaiting] = useState(false);
  const [errorText, setErrorText] = useState<string>();
  const fail = (error: unknown) => {
    setErrorText(describeFailure(error).message);
    setIsWaiting(false);
  };
  useEffect(() => {
    document.title = strings.frame.title(text.title);
    fetchRoles().then((roles) => {
      setFound(roles);
      setRole(roles.roles[0]?.arn);
    }, fail);
  }, [text.title]);
  const choose = (event: SyntheticEvent) => {
    event.preventDefault();
    if (role === undefined || isWaiting) return;
    setIsWaiting(true);
    setErrorText(undefined);
    // The server leads to screens of this console alone.
    chooseRole(role).then((next) => window.location.replace(new URL(next, window.location.origin).href), fail);
  };
  return (
    <main>
      <Box margin={{ vertical: "xxl" }} padding="l">
        <div style={{ maxWidth: 480, marginInline: "auto" }}>
          <SpaceBetween size="l">
            <Box variant="h1" textAlign="center">
              {text.title}
            </Box>
            <Container>
              <form onSubmit={choose}>
                <Form
                  actions={
                    <SpaceBetween direction="horizontal" size="xs">
                      <Button variant="link" href="/console/" formAction="none">
                        {text.again}
                      </Button>
                      <Button variant="primary" loading={isWaiting} disabled={role === undefined} formAction="submit">
                        {text.submit}
                      </Button>
                    </SpaceBetween>
                  }
                  {...(errorText === undefined ? {} : { errorText })}
                >
                  {found === undefined ? (
                    errorText === undefined ? (
                      <div role="status" aria-label={strings.frame.loading}>
                        <Spinner />
                      </div>
                    ) : null
                  ) : (
                    <FormField label={text.role} description={text.hint(found.accountAlias ?? found.account)}>
                      <RadioGroup
                        value={role ?? null}
                        onChange={({ detail }) => setRole(detail.value)}
                        items={found.roles.map(({ arn, name }) => ({ value: arn, label: name, description: arn }))}
                      />
                    </FormField>
                  )}
                </Form>
              </form>
            </Container>
          </SpaceBetween>
        </div>
      </Box>
    </main>
  );
}
