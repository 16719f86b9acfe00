import Badge from "@cloudscape-design/components/badge";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import LiveRegion from "@cloudscape-design/components/live-region";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { fixed, type Finding } from "../../lib/policy/fixes";
import { strings } from "../../strings";
import { Failure } from "../Failure";
import type { Found } from "./useFindings";

interface Props extends Found {
  text: string;
  onFix: ((text: string) => void) | undefined;
  onGoTo: ((from: number, to: number) => void) | undefined;
}

const COLORS = { ERROR: "red", SECURITY_WARNING: "red", WARNING: "severity-medium", SUGGESTION: "blue" } as const;

/** What is wrong with the document, each with its place and, where nothing is to be chosen, a fix. */
export function Findings({ findings, isChecking, error, text, onFix, onGoTo }: Props) {
  const words = strings.policyEditor;
  if (error !== null && error !== undefined) return <Failure error={error} />;
  return (
    <SpaceBetween size="xs">
      <Header variant="h3" counter={isChecking ? "" : `(${findings.length})`}>
        {words.findings}
      </Header>
      <LiveRegion>
        {isChecking ? (
          <StatusIndicator type="loading">{words.checking}</StatusIndicator>
        ) : text.trim() === "" ? (
          <StatusIndicator type="info">{words.nothingToCheck}</StatusIndicator>
        ) : findings.length === 0 ? (
          <StatusIndicator type="success">{words.noFindings}</StatusIndicator>
        ) : null}
      </LiveRegion>
      {findings.map((finding, index) => (
        <Row key={`${finding.code}-${index}`} finding={finding} text={text} onFix={onFix} onGoTo={onGoTo} />
      ))}
    </SpaceBetween>
  );
}

function Row({ finding, text, onFix, onGoTo }: { finding: Finding } & Pick<Props, "text" | "onFix" | "onGoTo">) {
  const words = strings.policyEditor;
  const change = onFix === undefined ? undefined : fixed(text, finding);
  return (
    <SpaceBetween size="xs" direction="horizontal" alignItems="center">
      <Badge color={COLORS[finding.level]}>{words.findingLevels[finding.level]}</Badge>
      {onGoTo === undefined ? (
        <Box variant="small">{words.line(finding.line)}</Box>
      ) : (
        <Button formAction="none" variant="inline-link" ariaLabel={words.goTo(finding.line)} onClick={() => onGoTo(finding.from, finding.to)}>
          {words.line(finding.line)}
        </Button>
      )}
      <Box>{finding.details}</Box>
      {change === undefined || onFix === undefined ? null : (
        <Button formAction="none" ariaLabel={words.fixLabel(finding.details)} onClick={() => onFix(change)}>
          {words.fix}
        </Button>
      )}
      {finding.learnMore === undefined ? null : (
        <Link external href={finding.learnMore} ariaLabel={`${words.learnMore}: ${finding.code}`}>
          {words.learnMore}
        </Link>
      )}
    </SpaceBetween>
  );
}
