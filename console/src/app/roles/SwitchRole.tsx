import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Modal from "@cloudscape-design/components/modal";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState, type SyntheticEvent } from "react";
import { setSession } from "../../api/current";
import { switchRole } from "../../api/session";
import { describeFailure } from "../../lib/failure";
import type { RecentRole } from "../../lib/recent-roles";
import { strings } from "../../strings";
import { rememberRole } from "./stored";

/** The colors of badges, in the order of their names in the catalogue. */
const COLORS = ["0972d3", "037f0c", "8d6605", "d91515", "6b3fa0", "414d5c"] as const;

interface Props {
  /** What the fields begin with. */
  role?: RecentRole;
  onDismiss: () => void;
}

/** Asks which role to switch to. */
export function SwitchRole({ role, onDismiss }: Props) {
  const text = strings.switchRole;
  const options = COLORS.map((value, index) => ({ value, label: text.colors[index] ?? value }));
  const [account, setAccount] = useState(role?.account ?? "");
  const [name, setName] = useState(role?.role ?? "");
  const [displayName, setDisplayName] = useState(role?.displayName ?? "");
  const [color, setColor] = useState<string>(role?.color ?? COLORS[0]);
  const [isWaiting, setIsWaiting] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const submit = async (event: SyntheticEvent) => {
    event.preventDefault();
    setIsWaiting(true);
    setFailure(undefined);
    const wanted = { account: account.trim(), role: name.trim(), color };
    const shown = displayName.trim() === "" ? `${wanted.role} @ ${wanted.account}` : displayName.trim();
    try {
      const session = await switchRole({ ...wanted, displayName: shown });
      rememberRole({ ...wanted, displayName: shown });
      setSession(session);
    } catch (error) {
      setFailure(error);
      setIsWaiting(false);
    }
  };
  return (
    <Modal visible header={text.title} onDismiss={onDismiss} closeAriaLabel={strings.frame.close}>
      <form onSubmit={(event) => void submit(event)}>
        <Form
          actions={
            <SpaceBetween size="xs" direction="horizontal">
              <Button formAction="none" variant="link" onClick={onDismiss}>
                {strings.frame.cancel}
              </Button>
              <Button formAction="submit" variant="primary" loading={isWaiting}>
                {text.submit}
              </Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="m">
            <Box>{text.hint}</Box>
            {failure === undefined ? null : (
              <Alert type="error" header={text.failed}>
                {describeFailure(failure).message}
              </Alert>
            )}
            <FormField label={text.account}>
              <Input value={account} onChange={({ detail }) => setAccount(detail.value)} />
            </FormField>
            <FormField label={text.role} description={text.roleHint}>
              <Input value={name} onChange={({ detail }) => setName(detail.value)} />
            </FormField>
            <FormField label={text.displayName}>
              <Input value={displayName} onChange={({ detail }) => setDisplayName(detail.value)} />
            </FormField>
            <FormField label={text.color}>
              <Select
                options={options}
                selectedOption={options.find((option) => option.value === color) ?? { value: color, label: color }}
                onChange={({ detail }) => setColor(detail.selectedOption.value ?? COLORS[0])}
              />
            </FormField>
          </SpaceBetween>
        </Form>
      </form>
    </Modal>
  );
}
