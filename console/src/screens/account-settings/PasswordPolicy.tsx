import type { PasswordPolicy as Stored } from "@aws-sdk/client-iam";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { getAccountPasswordPolicy } from "../../api/iam/account";
import { iamChange } from "../../api/perform";
import { isGone } from "../../api/iam/gone";
import { useConfirm } from "../../parts/iam/Confirm";
import { Failure } from "../../parts/Failure";
import { strings } from "../../strings";
import { PasswordForm } from "./PasswordForm";

const KEY = ["iam", "account", "password-policy"];

/** `null` while the default holds. */
async function stored(): Promise<Stored | null> {
  try {
    return (await getAccountPasswordPolicy({})).PasswordPolicy ?? null;
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** What passwords of users must be. */
export function PasswordPolicy() {
  const text = strings.accountSettings;
  const [isOpen, setIsOpen] = useState(false);
  const found = useQuery({ queryKey: KEY, queryFn: stored });
  const { ask, dialog } = useConfirm([KEY]);
  const reset = () =>
    ask({
      title: text.passwordReset,
      changes: [iamChange("DeleteAccountPasswordPolicy", {})],
      said: text.passwordIsDefault,
    });
  const policy = found.data;
  const word = (value: boolean | undefined) => (value === true ? text.yes : text.no);
  return (
    <Container
      header={
        <Header
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              {policy == null ? null : <Button onClick={reset}>{text.passwordReset}</Button>}
              <Button onClick={() => setIsOpen(true)}>{text.passwordEdit}</Button>
            </SpaceBetween>
          }
        >
          {text.password}
        </Header>
      }
    >
      {found.error === null ? null : <Failure error={found.error} retry={() => void found.refetch()} />}
      {policy === null ? <Box>{text.passwordDefault}</Box> : null}
      {policy == null ? null : (
        <KeyValuePairs
          columns={3}
          items={[
            { label: text.length, value: policy.MinimumPasswordLength },
            { label: text.lower, value: word(policy.RequireLowercaseCharacters) },
            { label: text.upper, value: word(policy.RequireUppercaseCharacters) },
            { label: text.digit, value: word(policy.RequireNumbers) },
            { label: text.symbol, value: word(policy.RequireSymbols) },
            { label: text.age, value: policy.MaxPasswordAge ?? 0 },
            { label: text.reuse, value: policy.PasswordReusePrevention ?? 0 },
            { label: text.change, value: word(policy.AllowUsersToChangePassword) },
            { label: text.hard, value: word(policy.HardExpiry) },
          ]}
        />
      )}
      {dialog}
      {isOpen ? <PasswordForm policy={policy ?? null} queryKey={KEY} onClose={() => setIsOpen(false)} /> : null}
    </Container>
  );
}
