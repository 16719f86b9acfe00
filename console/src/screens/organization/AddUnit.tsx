import { useState } from "react";
import { perform } from "../../api/perform";
import { Field } from "../../parts/Field";
import { Dialog } from "../../parts/Dialog";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";

/** Makes an organizational unit below another or the root. */
export function AddUnit({ parent, onClose }: { parent: string; onClose: () => void }) {
  const text = strings.organization;
  const [name, setName] = useState("");
  const change = {
    service: "organizations",
    operation: "CreateOrganizationalUnit",
    input: { ParentId: parent, Name: name },
  };
  const add = useAction(() => perform(change), {
    stale: [["organization", "units", parent]],
    said: () => text.unitMade,
    then: onClose,
  });
  return (
    <Dialog
      title={text.addUnit}
      submit={text.addUnit}
      onSubmit={() => add.run(undefined)}
      onClose={onClose}
      isRunning={add.isRunning}
      isDisabled={name.trim() === ""}
      error={add.error}
      changes={[change]}
    >
      <Field label={text.unitName} value={name} onChange={setName} />
    </Dialog>
  );
}
