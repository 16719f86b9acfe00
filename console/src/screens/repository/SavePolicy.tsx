import Box from "@cloudscape-design/components/box";
import Table from "@cloudscape-design/components/table";
import { policyChanges, readPolicy } from "../../lib/repository-policy";
import { Dialog } from "../../parts/Dialog";
import { DocumentChanged } from "../../parts/DocumentChanged";
import { useReplaceDocument } from "../../parts/useReplaceDocument";
import { strings } from "../../strings";
import { repositoryKey } from "./queries";

interface Props {
  name: string;
  /** What the edit began with; empty where there was no policy. */
  base: string;
  /** The edited document; empty to delete the policy. */
  json: string;
  /** Makes a document the one that the edit begins with. */
  onBegin: (document: string) => void;
  onClose: () => void;
}

const statementsOf = (json: string) => {
  const read = readPolicy(json);
  return Array.isArray(read) ? read : [];
};

/** The call that saves a document; an empty one deletes the policy. */
const change = (name: string, json: string) =>
  json === ""
    ? { service: "ecr", operation: "DeleteRepositoryPolicy", input: { repositoryName: name } }
    : { service: "ecr", operation: "SetRepositoryPolicy", input: { repositoryName: name, policyText: json } };

/** Shows who gains and who loses which action, then saves. */
export function SavePolicy({ name, base, json, onBegin, onClose }: Props) {
  const text = strings.repository.permissions;
  const changes = policyChanges(statementsOf(base), statementsOf(json));
  const save = useReplaceDocument({
    base,
    stale: [repositoryKey(name)],
    said: () => (json === "" ? text.deleted : text.saved),
    then: () => {
      onBegin(json);
      onClose();
    },
  });
  return (
    <Dialog
      size="large"
      title={text.reviewTitle}
      submit={json === "" ? text.delete : strings.frame.save}
      onSubmit={() => save.save({ kind: "repository", name }, json)}
      onClose={onClose}
      isRunning={save.isRunning}
      error={save.error}
      changes={[change(name, json)]}
    >
      {changes.length === 0 ? (
        <Box variant="p">{text.noChange}</Box>
      ) : (
        <>
          <Box variant="p">{text.reviewIntro}</Box>
          <Table
            items={changes}
            variant="embedded"
            wrapLines
            ariaLabels={{ tableLabel: text.caption }}
            columnDefinitions={[
              { id: "change", header: text.columns.change, isRowHeader: true, cell: ({ kind }) => text[kind] },
              { id: "effect", header: text.columns.effect, cell: ({ effect }) => effect },
              { id: "principal", header: text.columns.principal, cell: ({ principal }) => principal },
              { id: "action", header: text.columns.action, cell: ({ action }) => action },
              {
                id: "condition",
                header: text.columns.condition,
                cell: ({ isConditional }) => (isConditional ? text.conditional : strings.frame.none),
              },
            ]}
          />
        </>
      )}
      <DocumentChanged
        conflict={save.conflict}
        onTake={(current) => {
          onBegin(current);
          onClose();
        }}
      />
    </Dialog>
  );
}
