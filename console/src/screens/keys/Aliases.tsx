import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { perform } from "../../api/perform";
import { createAlias, deleteAlias, isAlias } from "../../lib/keys";
import { Dialog } from "../../parts/Dialog";
import { Failure } from "../../parts/Failure";
import { Field } from "../../parts/Field";
import { useConfirm } from "../../parts/iam/Confirm";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { KEYS, keyAliasesQuery } from "./queries";

const text = strings.keys;

/** The names of a key. */
export function Aliases({ id, mayChange }: { id: string; mayChange: boolean }) {
  const query = useQuery(keyAliasesQuery(id));
  const [isOpen, setIsOpen] = useState(false);
  const { ask, dialog } = useConfirm([KEYS]);
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  const remove = (name: string) =>
    ask({
      title: text.deleteAlias(name),
      text: text.deleteAliasText,
      submit: strings.frame.delete,
      changes: [deleteAlias(name)],
      said: text.aliasDeleted,
    });
  return (
    <>
      <Table
        items={query.data ?? []}
        trackBy="name"
        loading={query.isPending}
        loadingText={strings.frame.loading}
        wrapLines
        header={
          <Header
            variant="h2"
            actions={mayChange ? <Button onClick={() => setIsOpen(true)}>{text.addAlias}</Button> : null}
          >
            {text.aliases}
          </Header>
        }
        ariaLabels={{ tableLabel: text.aliases }}
        columnDefinitions={[
          { id: "name", header: text.alias, isRowHeader: true, cell: ({ name }) => name },
          {
            id: "actions",
            header: strings.iam.actions,
            cell: ({ name }) =>
              mayChange ? (
                <Button variant="inline-link" ariaLabel={text.deleteAlias(name)} onClick={() => remove(name)}>
                  {strings.frame.delete}
                </Button>
              ) : (
                strings.frame.none
              ),
          },
        ]}
        empty={text.noAliases}
      />
      {dialog}
      {isOpen ? <Add id={id} onClose={() => setIsOpen(false)} /> : null}
    </>
  );
}

function Add({ id, onClose }: { id: string; onClose: () => void }) {
  const [name, setName] = useState("");
  const isRight = isAlias(name.trim());
  const change = createAlias(name, id);
  const add = useAction(() => perform(change), { stale: [KEYS], said: () => text.aliasAdded, then: onClose });
  return (
    <Dialog
      title={text.addAlias}
      submit={text.addAlias}
      onSubmit={() => add.run(undefined)}
      onClose={onClose}
      isRunning={add.isRunning}
      isDisabled={!isRight}
      error={add.error}
      changes={[change]}
    >
      <Field
        label={text.alias}
        value={name}
        onChange={setName}
        constraint={text.aliasHint}
        error={name.trim() === "" || isRight ? undefined : text.aliasError}
      />
    </Dialog>
  );
}
