import type { PasswordPolicy } from "@aws-sdk/client-iam";
import Checkbox from "@cloudscape-design/components/checkbox";
import { useState } from "react";
import { iamChange, perform } from "../../api/perform";
import { Field } from "../../parts/Field";
import { Dialog } from "../../parts/Dialog";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";

interface Props {
  /** `null` while the default holds. */
  policy: PasswordPolicy | null;
  queryKey: string[];
  onClose: () => void;
}

const isWithin = (text: string, min: number, max: number): boolean =>
  /^[0-9]+$/.test(text) && Number(text) >= min && Number(text) <= max;

/** All settings at once: IAM takes a setting that is left out for its default (IAM API Reference, UpdateAccountPasswordPolicy). */
export function PasswordForm({ policy, queryKey, onClose }: Props) {
  const text = strings.accountSettings;
  const [length, setLength] = useState((policy?.MinimumPasswordLength ?? 8).toString());
  const [age, setAge] = useState((policy?.MaxPasswordAge ?? 0).toString());
  const [reuse, setReuse] = useState((policy?.PasswordReusePrevention ?? 0).toString());
  const [flags, setFlags] = useState({
    lower: policy?.RequireLowercaseCharacters ?? false,
    upper: policy?.RequireUppercaseCharacters ?? false,
    digit: policy?.RequireNumbers ?? false,
    symbol: policy?.RequireSymbols ?? false,
    change: policy?.AllowUsersToChangePassword ?? false,
    hard: policy?.HardExpiry ?? false,
  });
  const change = iamChange("UpdateAccountPasswordPolicy", {
        MinimumPasswordLength: Number(length),
        RequireLowercaseCharacters: flags.lower,
        RequireUppercaseCharacters: flags.upper,
        RequireNumbers: flags.digit,
        RequireSymbols: flags.symbol,
        AllowUsersToChangePassword: flags.change,
        HardExpiry: flags.hard,
        // Zero means that there is no such rule; IAM takes the member from 1 on.
        ...(Number(age) === 0 ? {} : { MaxPasswordAge: Number(age) }),
        ...(Number(reuse) === 0 ? {} : { PasswordReusePrevention: Number(reuse) }),
  });
  const save = useAction(() => perform(change), { stale: [queryKey], said: () => text.passwordSaved, then: onClose });
  const isLength = isWithin(length, 6, 128);
  const isAge = isWithin(age, 0, 1095);
  const isReuse = isWithin(reuse, 0, 24);
  const names = ["lower", "upper", "digit", "symbol", "change", "hard"] as const;
  return (
    <Dialog
      title={text.passwordEdit}
      submit={strings.iam.save}
      onSubmit={() => save.run(undefined)}
      onClose={onClose}
      isRunning={save.isRunning}
      isDisabled={!isLength || !isAge || !isReuse}
      error={save.error}
      changes={[change]}
    >
      <Field
        label={text.length}
        value={length}
        onChange={setLength}
        inputMode="numeric"
        error={isLength ? undefined : text.lengthProblem}
      />
      {names.map((name) => (
        <Checkbox
          key={name}
          checked={flags[name]}
          onChange={(event) => setFlags({ ...flags, [name]: event.detail.checked })}
        >
          {text[name]}
        </Checkbox>
      ))}
      <Field
        label={text.age}
        value={age}
        onChange={setAge}
        inputMode="numeric"
        error={isAge ? undefined : text.ageProblem}
      />
      <Field
        label={text.reuse}
        value={reuse}
        onChange={setReuse}
        inputMode="numeric"
        error={isReuse ? undefined : text.reuseProblem}
      />
    </Dialog>
  );
}
