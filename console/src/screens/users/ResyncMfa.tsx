import { useState } from "react";
import { iamChange, perform } from "../../api/perform";
import { Dialog } from "../../parts/Dialog";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { areCodes, Codes } from "./Codes";

/** Brings a device whose clock is wrong into step again. */
export function ResyncMfa({ userName, serial, onClose }: { userName: string; serial: string; onClose: () => void }) {
  const text = strings.users.mfa;
  const [first, setFirst] = useState("");
  const [second, setSecond] = useState("");
  const change = iamChange("ResyncMFADevice", {
    UserName: userName,
    SerialNumber: serial,
    AuthenticationCode1: first,
    AuthenticationCode2: second,
  });
  const action = useAction(() => perform(change), { stale: [], said: () => text.resynced, then: onClose });
  return (
    <Dialog
      title={text.resyncTitle}
      submit={text.resync}
      onSubmit={() => action.run(undefined)}
      onClose={onClose}
      isRunning={action.isRunning}
      isDisabled={!areCodes(first, second)}
      error={action.error}
      changes={[change]}
    >
      <Codes first={first} second={second} onFirst={setFirst} onSecond={setSecond} />
    </Dialog>
  );
}
