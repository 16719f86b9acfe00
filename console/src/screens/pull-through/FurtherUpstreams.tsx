import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { EMPTY_UPSTREAM, UPSTREAMS_MAX, upstreamProblems, type UpstreamForm } from "../../lib/pull-through-settings";
import { Field } from "../../parts/Field";
import { strings } from "../../strings";
import { SecretField } from "./CredentialFields";
import { Pem } from "./Pem";

const text = strings.pullThrough.settings;
const rule = strings.pullThrough;

interface Props {
  upstreams: readonly UpstreamForm[];
  onChange: (upstreams: UpstreamForm[]) => void;
}

/** The upstreams that are asked after the rule's own, in their order. */
export function FurtherUpstreams({ upstreams, onChange }: Props) {
  return (
    <SpaceBetween size="m">
      <Header variant="h3" description={text.upstreamsHint}>
        {text.upstreams}
      </Header>
      {upstreams.map((upstream, index) => (
        <OneUpstream
          // Rows have no other identity; one that is removed takes the values of those behind it along.
          key={index}
          number={index + 1}
          upstream={upstream}
          onChange={(change) => onChange(upstreams.map((each, at) => (at === index ? { ...each, ...change } : each)))}
          onRemove={() => onChange(upstreams.filter((_, at) => at !== index))}
        />
      ))}
      <Button
        formAction="none"
        iconName="add-plus"
        disabled={upstreams.length >= UPSTREAMS_MAX}
        onClick={() => onChange([...upstreams, EMPTY_UPSTREAM])}
      >
        {text.add}
      </Button>
    </SpaceBetween>
  );
}

interface OneProps {
  number: number;
  upstream: UpstreamForm;
  onChange: (change: Partial<UpstreamForm>) => void;
  onRemove: () => void;
}

function OneUpstream({ number, upstream, onChange, onRemove }: OneProps) {
  const problems = upstreamProblems(upstream);
  const isKept =
    upstream.before?.clientCertificate !== undefined && upstream.before.upstreamRegistryUrl === upstream.url.trim();
  return (
    <SpaceBetween size="s">
      <Box variant="h4">{text.upstream(number)}</Box>
      <Field
        label={text.address(number)}
        value={upstream.url}
        onChange={(url) => onChange({ url })}
        constraint={rule.urlHint}
        error={upstream.url !== "" && problems.has("url") ? rule.urlError : undefined}
      />
      <Field
        label={text.prefix(number)}
        value={upstream.prefix}
        onChange={(prefix) => onChange({ prefix })}
        constraint={text.prefixHint}
        error={problems.has("prefix") ? text.prefixError : undefined}
        isOptional
      />
      <SecretField
        label={text.secret(number)}
        value={upstream.secret}
        onChange={(secret) => onChange({ secret })}
        error={undefined}
      />
      <Field
        label={text.role(number)}
        value={upstream.role}
        onChange={(role) => onChange({ role })}
        constraint={rule.roleHint}
        error={problems.has("credentials") ? rule.roleError : undefined}
        isOptional
      />
      <Pem
        label={text.authorityOf(number)}
        hint={isKept ? text.certificateKept : text.authorityHint}
        value={upstream.authority}
        onChange={(authority) => onChange({ authority })}
      />
      <Button formAction="none" onClick={onRemove}>
        {text.remove(number)}
      </Button>
    </SpaceBetween>
  );
}
