import Alert from "@cloudscape-design/components/alert";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useSession } from "../../api/current";
import { trustPolicy, type TrustedEntity } from "../../lib/trust/entity";
import { warnings } from "../../lib/trust/review";
import { PolicyText } from "../../parts/PolicyText";
import { strings } from "../../strings";

/** The warnings about a trust policy. */
export function TrustWarnings({ document }: { document: string }) {
  const { account } = useSession();
  const found = warnings(document, account);
  return (
    <div aria-live="polite">
      <SpaceBetween size="xs">
        {found.map((warning) => (
          <Alert key={`${warning.kind} ${warning.about}`} type={warning.severity === "danger" ? "error" : "warning"}>
            {strings.roles.warning(warning)}
          </Alert>
        ))}
      </SpaceBetween>
    </div>
  );
}

/** The trust policy that the answers give, with its warnings. */
export function TrustPreview({ entity }: { entity: TrustedEntity }) {
  const { partition } = useSession();
  const document = trustPolicy(entity, partition);
  return (
    <SpaceBetween size="m">
      <TrustWarnings document={document} />
      {entity.kind === "custom" ? null : <PolicyText label={strings.roles.preview} value={document} />}
    </SpaceBetween>
  );
}
