import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { listOpenIDConnectProviders, listSAMLProviders } from "../../api/iam/providers";
import { Failure } from "../../parts/Failure";
import { listKey } from "../../parts/iam/keys";
import { LinkButton } from "../../parts/iam/LinkButton";
import { LinkTo } from "../../parts/LinkTo";
import { Page } from "../../parts/Page";
import { providerName } from "../../lib/providers";
import { strings } from "../../strings";

interface Row {
  arn: string;
  kind: "oidc" | "saml";
}

/** IAM lists all providers at once: an account has at most some hundred. */
async function providersOf(kind: Row["kind"]): Promise<Row[]> {
  const arns =
    kind === "oidc"
      ? ((await listOpenIDConnectProviders({})).OpenIDConnectProviderList ?? [])
      : ((await listSAMLProviders({})).SAMLProviderList ?? []);
  return arns.flatMap(({ Arn }) => (Arn === undefined ? [] : [{ arn: Arn, kind }]));
}

/** The identity providers of the account. */
export default function IdentityProviders() {
  const text = strings.providers;
  const oidc = useQuery({ queryKey: [...listKey("providers"), "rows", "oidc"], queryFn: () => providersOf("oidc") });
  const saml = useQuery({ queryKey: [...listKey("providers"), "rows", "saml"], queryFn: () => providersOf("saml") });
  const rows = [...(oidc.data ?? []), ...(saml.data ?? [])];
  return (
    <Page title={text.title} description={text.description}>
      {[oidc, saml].map(({ error, refetch }, at) =>
        error === null ? null : <Failure key={at} error={error} retry={() => void refetch()} />,
      )}
      <Table
        variant="container"
        items={rows}
        trackBy="arn"
        loading={oidc.isPending || saml.isPending}
        loadingText={strings.iam.loading}
        empty={<Box textAlign="center">{text.none}</Box>}
        ariaLabels={{ tableLabel: text.title }}
        header={
          <Header
            counter={`(${rows.length})`}
            actions={
              <LinkButton to="/identity-providers/create" variant="primary">
                {text.create}
              </LinkButton>
            }
          >
            {text.title}
          </Header>
        }
        columnDefinitions={[
          {
            id: "name",
            header: text.name,
            isRowHeader: true,
            cell: ({ arn }) => (
              <LinkTo to={`/identity-providers/${encodeURIComponent(arn)}`}>{providerName(arn)}</LinkTo>
            ),
          },
          { id: "kind", header: text.kind, cell: ({ kind }) => text.kinds[kind] },
        ]}
      />
    </Page>
  );
}

