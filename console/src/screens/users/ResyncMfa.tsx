import { useState } from "react";
import { resyncMFADevice } from "../../api/iam/credentials";
import { Dialog } from "../../parts/iam/Dialog";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { areCodes, Codes } from "./Codes";

/** Brings a device whose clock is wrong into step again. */
export function ResyncMfa({ userName, serial, onClose }: { userName: string; serial: string; onClose: () => void }) {
  const text = strings.users.mfa;
  const [first, setFirst] = useState("");
  const [second, setSecond] = useState("");
  const action = useAction(
    () =>
      resyncMFADevice({
        UserName: userName,
        SerialNumber: serial,
        AuthenticationCode1: first,
        AuthenticationCode2: second,
      }),
    { stale: [], said: () => text.resynced, then: onClose },
  );
  return (
    <Dialog
      title={text.resyncTitle}
      submit={text.resync}
      onSubmit={() => action.run(undefined)}
      onClose={onClose}
      isRunning={action.isRunning}
      isDisabled={!areCodes(first, second)}
      error={action.error}
    >
      <Codes first={first} second={second} onFirst={setFirst} onSecond={setSecond} />
    </Dialog>
  );
}
