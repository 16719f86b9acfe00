import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { deleteRepositoryPolicy, setRepositoryPolicy } from "../../api/ecr";
import { policyChanges, readPolicy, type FormStatement } from "../../lib/repository-policy";
import { Failure } from "../../parts/Failure";
import { useFlash } from "../../parts/flash";
import { strings } from "../../strings";
import { repositoryKey } from "./queries";

interface Props {
  name: string;
  before: string;
  json: string;
  after: FormStatement[];
  onClose: () => void;
}

/** Shows who gains and who loses which action, then saves. */
export function SavePolicy({ name, before, json, after, onClose }: Props) {
  const text = strings.repository.permissions;
  const queries = useQueryClient();
  const flash = useFlash();
  const old = readPolicy(before);
  const changes = policyChanges(Array.isArray(old) ? old : [], after);
  const save = useMutation({
    mutationFn: () => (json === "" ? deleteRepositoryPolicy(name) : setRepositoryPolicy(name, json)),
    onSuccess: async () => {
      flash.success(json === "" ? text.deleted : text.saved);
      onClose();
      await queries.invalidateQueries({ queryKey: repositoryKey(name) });
    },
  });
  return (
    <Modal
      visible
      size="large"
      header={text.reviewTitle}
      closeAriaLabel={strings.frame.close}
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween size="xs" direction="horizontal">
            <Button variant="link" onClick={onClose}>
              {strings.frame.cancel}
            </Button>
            <Button variant="primary" loading={save.isPending} onClick={() => save.mutate()}>
              {json === "" ? text.delete : strings.frame.save}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
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
        {save.error === null ? null : <Failure error={save.error} />}
      </SpaceBetween>
    </Modal>
  );
}
