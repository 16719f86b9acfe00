import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Modal from "@cloudscape-design/components/modal";
import { strings } from "../strings";

const text = strings.frame.shortcuts;

/** What the keyboard can do on every page. */
export function Shortcuts({ onClose }: { onClose: () => void }) {
  return (
    <Modal visible header={text.title} closeAriaLabel={text.close} onDismiss={onClose}>
      <KeyValuePairs
        columns={1}
        items={text.list.map(({ keys, does }) => ({
          label: does,
          value: keys.map((key, index) => (
            <span key={key}>
              {index === 0 ? "" : text.or}
              <kbd>{key}</kbd>
            </span>
          )),
        }))}
      />
    </Modal>
  );
}
