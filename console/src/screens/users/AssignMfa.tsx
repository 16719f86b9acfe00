import Box from "@cloudscape-design/components/box";
import { useState } from "react";
import { createVirtualMFADevice, deleteVirtualMFADevice } from "../../api/iam/credentials";
import { iamChange, perform } from "../../api/perform";
import { nameProblem } from "../../lib/names";
import { Field } from "../../parts/Field";
import { Dialog } from "../../parts/Dialog";
import { Secret } from "../../parts/Secret";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { areCodes, Codes } from "./Codes";

interface Props {
  userName: string;
  queryKey: string[];
  onClose: () => void;
}

interface Device {
  serial: string;
  secret: string;
  /** A PNG image. */
  image: Uint8Array | undefined;
}

/** Makes a virtual device, shows its QR code, and assigns it after two codes. */
export function AssignMfa({ userName, queryKey, onClose }: Props) {
  const text = strings.users.mfa;
  const [name, setName] = useState(userName);
  const [device, setDevice] = useState<Device>();
  const problem = nameProblem("mfaDevice", name);
  const input = { VirtualMFADeviceName: name };
  const create = useAction(() => createVirtualMFADevice(input), {
    stale: [],
    then: ({ VirtualMFADevice: made }) =>
      setDevice({
        serial: made?.SerialNumber ?? "",
        secret: new TextDecoder().decode(made?.Base32StringSeed),
        image: made?.QRCodePNG,
      }),
  });
  if (device !== undefined) return <Enable {...{ userName, queryKey, onClose, device }} />;
  return (
    <Dialog
      title={text.add}
      submit={text.begin}
      onSubmit={() => create.run(undefined)}
      onClose={onClose}
      isRunning={create.isRunning}
      isDisabled={problem !== undefined}
      error={create.error}
      changes={[iamChange("CreateVirtualMFADevice", input)]}
    >
      <Field label={text.deviceName} value={name} onChange={setName} problem={problem} />
    </Dialog>
  );
}

/** The image as an address that the page's content security policy allows. */
function imageUrl(image: Uint8Array): string {
  const text = Array.from(image, (byte) => String.fromCharCode(byte)).join("");
  return `data:image/png;base64,${btoa(text)}`;
}

function Enable({ userName, queryKey, onClose, device }: Props & { device: Device }) {
  const text = strings.users.mfa;
  const [first, setFirst] = useState("");
  const [second, setSecond] = useState("");
  const change = iamChange("EnableMFADevice", {
    UserName: userName,
    SerialNumber: device.serial,
    AuthenticationCode1: first,
    AuthenticationCode2: second,
  });
  const enable = useAction(() => perform(change), { stale: [queryKey], said: () => text.enabled_, then: onClose });
  // A device that nobody finished is of no use, and its name would be taken.
  const abandon = useAction(() => deleteVirtualMFADevice({ SerialNumber: device.serial }), {
    stale: [queryKey],
    isLoud: true,
  });
  return (
    <Dialog
      title={text.add}
      submit={text.enable}
      onSubmit={() => enable.run(undefined)}
      onClose={() => {
        abandon.run(undefined);
        onClose();
      }}
      isRunning={enable.isRunning}
      isDisabled={!areCodes(first, second)}
      error={enable.error}
      changes={[change]}
    >
      <Box>{text.scan}</Box>
      {device.image === undefined ? null : <img src={imageUrl(device.image)} alt={text.qr} width={200} height={200} />}
      <Secret label={text.secret} value={device.secret} />
      <Codes first={first} second={second} onFirst={setFirst} onSecond={setSecond} />
    </Dialog>
  );
}
