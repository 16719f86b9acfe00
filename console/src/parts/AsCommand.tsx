import Button from "@cloudscape-design/components/button";
import Tabs from "@cloudscape-design/components/tabs";
import { useEffect } from "react";
import { awsCli } from "../lib/commands/awsCli";
import { boto3 } from "../lib/commands/boto3";
import type { Change } from "../lib/commands/change";
import { terraform, type TerraformBlock } from "../lib/commands/terraform";
import { strings } from "../strings";
import { CodeBlock } from "./CodeBlock";
import { useDrawer } from "./drawer";

interface Props {
  /** The calls that the form makes, in their order. */
  changes: Change[];
  /** The same as resources, where Terraform has them. */
  resources?: TerraformBlock[];
}

/** The change as a command of the AWS CLI, in Terraform and with boto3. For dialogs; pages take `AsCommand`. */
export function CommandTabs({ changes, resources }: Props) {
  const text = strings.frame.asCommand;
  const endpoint = window.location.origin;
  const tab = (id: string, label: string, code: string) => ({
    id,
    label,
    content: <CodeBlock code={code} label={label} copyLabel={text.copy(label)} />,
  });
  return (
    <Tabs
      ariaLabel={text.title}
      tabs={[
        tab("cli", text.cli, awsCli(changes, endpoint)),
        ...(resources === undefined ? [] : [tab("terraform", text.terraform, terraform(resources))]),
        tab("boto3", text.boto3, boto3(changes, endpoint)),
      ]}
    />
  );
}

/** A button that opens the drawer "As command", which shows the form's change while it is typed. */
export function AsCommand({ changes, resources }: Props) {
  const { setContent, setOpen, isOpen } = useDrawer();
  // Callers make the lists anew each time; the content changes when what they hold does.
  const key = JSON.stringify([changes, resources]);
  useEffect(() => {
    const props = JSON.parse(key) as [Change[], TerraformBlock[] | null];
    const content = <CommandTabs changes={props[0]} {...(props[1] === null ? {} : { resources: props[1] })} />;
    setContent({ title: strings.frame.asCommand.title, content });
  }, [key, setContent]);
  useEffect(
    () => () => {
      setContent(undefined);
      setOpen(false);
    },
    [setContent, setOpen],
  );
  return (
    <Button iconName="script" formAction="none" ariaExpanded={isOpen} onClick={() => setOpen(!isOpen)}>
      {strings.frame.asCommand.title}
    </Button>
  );
}
