import Box from "@cloudscape-design/components/box";
import { mfaCodeProblem } from "../../lib/names";
import { Field } from "../../parts/Field";
import { strings } from "../../strings";

interface Props {
  first: string;
  second: string;
  onFirst: (code: string) => void;
  onSecond: (code: string) => void;
}

/** Two codes that follow each other. */
export function Codes({ first, second, onFirst, onSecond }: Props) {
  const text = strings.users.mfa;
  return (
    <>
      <Box>{text.codesHint}</Box>
      <Field
        label={text.code1}
        value={first}
        onChange={onFirst}
        inputMode="numeric"
        problem={mfaCodeProblem(first)}
        isShown={false}
      />
      <Field
        label={text.code2}
        value={second}
        onChange={onSecond}
        inputMode="numeric"
        problem={mfaCodeProblem(second)}
        isShown={false}
      />
    </>
  );
}

export const areCodes = (...codes: string[]): boolean => codes.every((code) => mfaCodeProblem(code) === undefined);
