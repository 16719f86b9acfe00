import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { performAll } from "../../api/perform";
import type { TagPair } from "../../lib/iam-changes";
import { tagChanges } from "../../lib/keys";
import { tagsProblem } from "../../lib/names";
import { Dialog } from "../../parts/Dialog";
import { Failure } from "../../parts/Failure";
import { TagRows } from "../../parts/iam/TagRows";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { KEYS, tagsQuery } from "./queries";

const text = strings.keys;

export function KeyTags({ id, mayChange }: { id: string; mayChange: boolean }) {
  const query = useQuery(tagsQuery(id));
  const [isOpen, setIsOpen] = useState(false);
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <>
      <Table
        items={query.data ?? []}
        trackBy="key"
        loading={query.isPending}
        loadingText={strings.frame.loading}
        wrapLines
        header={
          <Header
            variant="h2"
            actions={
              mayChange && query.data !== undefined ? <Button onClick={() => setIsOpen(true)}>{text.editTags}</Button> : null
            }
          >
            {text.tags}
          </Header>
        }
        ariaLabels={{ tableLabel: text.tags }}
        columnDefinitions={[
          { id: "key", header: text.tagKey, isRowHeader: true, cell: ({ key }) => key },
          { id: "value", header: text.tagValue, cell: ({ value }) => value },
        ]}
        empty={text.noTags}
      />
      {isOpen && query.data !== undefined ? <Edit id={id} before={query.data} onClose={() => setIsOpen(false)} /> : null}
    </>
  );
}

function Edit({ id, before, onClose }: { id: string; before: TagPair[]; onClose: () => void }) {
  const [tags, setTags] = useState(before);
  const [isSent, setIsSent] = useState(false);
  const changes = tagChanges(id, before, tags);
  const problem = tagsProblem(tags);
  const save = useAction(() => performAll(changes), { stale: [KEYS], said: () => text.tagsSaved, then: onClose });
  return (
    <Dialog
      title={text.editTags}
      submit={strings.frame.save}
      onSubmit={() => {
        setIsSent(true);
        if (problem === undefined) save.run(undefined);
      }}
      onClose={onClose}
      isRunning={save.isRunning}
      error={save.error}
      changes={changes}
      size="large"
    >
      <TagRows tags={tags} onChange={setTags} />
      {isSent && problem !== undefined ? <Box color="text-status-error">{strings.iam.problem(problem)}</Box> : null}
    </Dialog>
  );
}
