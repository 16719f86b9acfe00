import Alert from "@cloudscape-design/components/alert";
import { useState, type ReactNode } from "react";
import { validateRule, type Validity } from "../../api/pull-through";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";

const text = strings.pullThrough;

/** A function that tests a rule, whether it is under way, and what came of it. */
export function useTest(): { test: (prefix: string) => void; isRunning: boolean; result: ReactNode } {
  const [tested, setTested] = useState<{ prefix: string; validity: Validity }>();
  const action = useAction(validateRule, {
    stale: [],
    then: (validity, prefix) => setTested({ prefix, validity }),
    isLoud: true,
  });
  const result =
    tested === undefined ? null : (
      <div role="status">
        <Alert
          type={tested.validity.isValid ? "success" : "error"}
          dismissible
          i18nStrings={{ dismissAriaLabel: strings.frame.close }}
          onDismiss={() => setTested(undefined)}
        >
          {tested.validity.isValid
            ? text.valid(tested.prefix)
            : text.invalid(tested.prefix, tested.validity.failure ?? text.unknownFailure)}
        </Alert>
      </div>
    );
  return { test: action.run, isRunning: action.isRunning, result };
}
