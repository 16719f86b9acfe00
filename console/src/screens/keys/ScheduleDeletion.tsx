import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Key } from "../../api/kms";
import { perform } from "../../api/perform";
import { isWithin, scheduleDeletion, WINDOW_DAYS } from "../../lib/keys";
import { Dialog } from "../../parts/Dialog";
import { Failure } from "../../parts/Failure";
import { Field } from "../../parts/Field";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { KEYS, usersQuery } from "./queries";

const text = strings.keys.deletion;
/** Names that the dialog lists. */
const SHOWN_MAX = 20;

/** Asks for the waiting time, and shows the repositories that hang on the key. */
export function ScheduleDeletion({ item, onClose }: { item: Key; onClose: () => void }) {
  const [days, setDays] = useState(String(WINDOW_DAYS.max));
  const users = useQuery({ ...usersQuery(), staleTime: 0 });
  const names = users.data?.byKey.get(item.Arn) ?? [];
  const isRight = isWithin(Number(days), WINDOW_DAYS);
  const change = scheduleDeletion(item.KeyId, Number(days));
  const schedule = useAction(() => perform(change), { stale: [KEYS], said: () => text.scheduled, then: onClose });
  return (
    <Dialog
      title={text.schedule}
      submit={text.schedule}
      onSubmit={() => schedule.run(undefined)}
      onClose={onClose}
      isRunning={schedule.isRunning}
      isDisabled={!isRight || names.length > 0 || users.isPending}
      error={schedule.error}
      changes={[change]}
    >
      {users.error === null ? null : <Failure error={users.error} />}
      {names.length === 0 ? (
        <Box>{text.text}</Box>
      ) : (
        <Alert type="warning">
          <Box>{text.inUse}</Box>
          <ul>
            {names.slice(0, SHOWN_MAX).map((name) => (
              <li key={name}>{name}</li>
            ))}
            {names.length > SHOWN_MAX ? <li>…</li> : null}
          </ul>
        </Alert>
      )}
      <Field
        label={text.days}
        value={days}
        onChange={setDays}
        inputMode="numeric"
        error={isRight ? undefined : text.daysError}
      />
    </Dialog>
  );
}
