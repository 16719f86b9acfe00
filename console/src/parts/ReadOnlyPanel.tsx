import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import type { QueryKey, UseQueryResult } from "@tanstack/react-query";
import { useState } from "react";
import type { ReadOnlyMode } from "../api/registry";
import { strings } from "../strings";
import { Failure } from "./Failure";
import { ReadOnlyChange } from "./ReadOnlyChange";

interface Props {
  query: UseQueryResult<ReadOnlyMode>;
  /** The repository that the mode is of; none for the whole server. */
  repositoryName?: string;
  stale: QueryKey[];
}

/** Whether the server or a repository refuses writes, with a button that changes it. */
export function ReadOnlyPanel({ query, repositoryName, stale }: Props) {
  const text = strings.readOnly;
  const [isOpen, setIsOpen] = useState(false);
  const mode = query.data;
  const isServer = repositoryName === undefined;
  const [on, off] = isServer ? [text.serverOn, text.serverOff] : [text.repositoryOn, text.repositoryOff];
  return (
    <Container
      header={
        <Header
          variant="h2"
          actions={
            mode === undefined ? null : (
              <Button onClick={() => setIsOpen(true)}>{mode.enabled ? text.end : text.begin}</Button>
            )
          }
        >
          {isServer ? text.server : text.repository}
        </Header>
      }
    >
      {query.error === null ? null : <Failure error={query.error} retry={() => void query.refetch()} />}
      {query.isPending ? <StatusIndicator type="loading">{strings.frame.loading}</StatusIndicator> : null}
      {mode === undefined ? null : (
        <StatusIndicator type={mode.enabled ? "warning" : "success"}>
          {mode.enabled ? on(mode.reason ?? "") : off}
        </StatusIndicator>
      )}
      {mode !== undefined && isOpen ? (
        <ReadOnlyChange
          isOn={mode.enabled}
          {...(isServer ? {} : { repositoryName })}
          stale={stale}
          onClose={() => setIsOpen(false)}
        />
      ) : null}
    </Container>
  );
}
