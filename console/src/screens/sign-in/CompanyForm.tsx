import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Form from "@cloudscape-design/components/form";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState, type SyntheticEvent } from "react";
import { beginFederation, fetchProviders, type Provider } from "../../api/federation";
import { describeFailure } from "../../lib/failure";
import { isProviderUrl, wantedAddress } from "../../lib/provider-url";
import { strings } from "../../strings";
import { rememberAddress } from "./failedReturn";
import { TextField } from "./fields";
import { lastAccount, rememberAccount } from "./lastAccount";

/** A sign-in through the company's identity provider: the account first, then one of its providers. */
export function CompanyForm() {
  const text = strings.companySignIn;
  const [account, setAccount] = useState(lastAccount);
  const [providers, setProviders] = useState<Provider[]>();
  const [isWaiting, setIsWaiting] = useState(false);
  const [errorText, setErrorText] = useState<string>();
  const attempt = async (work: () => Promise<void>) => {
    setIsWaiting(true);
    setErrorText(undefined);
    try {
      await work();
    } catch (error) {
      const described = describeFailure(error);
      setErrorText(described.isNetwork ? strings.frame.failure.network : described.message);
      setIsWaiting(false);
    }
  };
  const find = (event: SyntheticEvent) => {
    event.preventDefault();
    void attempt(async () => {
      setProviders(await fetchProviders(account.trim()));
      setIsWaiting(false);
    });
  };
  const go = ({ key }: Provider) =>
    void attempt(async () => {
      const next = wantedAddress(window.location);
      const location = await beginFederation(account.trim(), key, next);
      if (!isProviderUrl(location)) throw new Error(text.badUrl);
      rememberAccount(account.trim());
      rememberAddress(next);
      window.location.assign(location);
    });
  return (
    <SpaceBetween size="l">
      <form onSubmit={find}>
        <Form
          actions={
            <Button formAction="submit" loading={isWaiting}>
              {text.find}
            </Button>
          }
          {...(errorText === undefined ? {} : { errorText })}
        >
          <TextField
            label={text.account}
            value={account}
            onChange={(value) => {
              setAccount(value);
              setProviders(undefined);
            }}
            autoComplete="organization"
          />
        </Form>
      </form>
      <div role="status">
        {providers?.length === 0 ? <Alert type="info">{text.none}</Alert> : null}
        {providers === undefined || providers.length === 0 ? null : (
          <ul aria-label={text.ways} style={{ listStyle: "none", margin: 0, padding: 0 }}>
            {providers.map((provider) => (
              <li key={provider.key} style={{ marginBlockEnd: 8 }}>
                <Button variant="primary" fullWidth disabled={isWaiting} onClick={() => go(provider)}>
                  {text.signInWith(provider.name)}
                </Button>
              </li>
            ))}
          </ul>
        )}
      </div>
    </SpaceBetween>
  );
}
