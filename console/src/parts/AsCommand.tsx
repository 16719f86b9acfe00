import Button from "@cloudscape-design/components/button";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Box from "@cloudscape-design/components/box";
import Tabs from "@cloudscape-design/components/tabs";
import { useEffect, useId } from "react";
import { awsCli } from "../lib/commands/awsCli";
import { boto3 } from "../lib/commands/boto3";
import type { Change } from "../lib/commands/change";
import { resourcesOf } from "../lib/commands/resources";
import { terraform, type TerraformBlock } from "../lib/commands/terraform";
import { strings } from "../strings";
import { CodeBlock } from "./CodeBlock";
import { useDrawer } from "./drawer";

interface Props {
  /** The calls that the form makes, in their order. */
  changes: Change[];
  /** Resources of Terraform, where the operations alone do not say them. */
  resources?: TerraformBlock[];
}

/** The change as a command of the AWS CLI, in Terraform and with boto3. */
export function CommandTabs({ changes, resources = resourcesOf(changes) }: Props) {
  const text = strings.frame.asCommand;
  const endpoint = window.location.origin;
  const tab = (id: string, label: string, code: string) => ({
    id,
    label,
    content: <CodeBlock code={code} label={label} copyLabel={text.copy(label)} />,
  });
  return (
    <SpaceBetween size="s">
      {changes.some(({ service }) => service === "berth") ? <Box variant="small">{text.model}</Box> : null}
      <Tabs
        ariaLabel={text.title}
        tabs={[
          tab("cli", text.cli, awsCli(changes, endpoint)),
          ...(resources.length === 0 ? [] : [tab("terraform", text.terraform, terraform(resources))]),
          tab("boto3", text.boto3, boto3(changes, endpoint)),
        ]}
      />
    </SpaceBetween>
  );
}

/** The change of a dialog as commands, below its fields: a dialog covers the drawer. */
export function CommandSection(props: Props) {
  return (
    <ExpandableSection headerText={strings.frame.asCommand.title}>
      <CommandTabs {...props} />
    </ExpandableSection>
  );
}

/** A button that opens the drawer "As command", which shows the form's change while it is typed. */
export function AsCommand({ changes, resources }: Props) {
  const { content, isOpen, setOpen, show, offer, release } = useDrawer();
  const owner = useId();
  const isMine = isOpen && content?.owner === owner;
  const made = {
    owner,
    title: strings.frame.asCommand.title,
    content: <CommandTabs changes={changes} {...(resources === undefined ? {} : { resources })} />,
  };
  // Callers make the lists anew each time; the content changes when what they hold does.
  const key = JSON.stringify([changes, resources]);
  useEffect(() => {
    offer(made);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the key says all that the content depends on
  }, [key, offer]);
  useEffect(() => () => release(owner), [owner, release]);
  return (
    <Button
      iconName="script"
      formAction="none"
      ariaExpanded={isMine}
      onClick={() => (isMine ? setOpen(false) : show(made))}
    >
      {strings.frame.asCommand.title}
    </Button>
  );
}
