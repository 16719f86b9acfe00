import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Checkbox from "@cloudscape-design/components/checkbox";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Rotation as Status } from "../../api/kms";
import { perform } from "../../api/perform";
import { isWithin, ROTATION_DAYS, setRotation } from "../../lib/keys";
import { Dialog } from "../../parts/Dialog";
import { Failure } from "../../parts/Failure";
import { Field } from "../../parts/Field";
import { useAction } from "../../parts/useAction";
import { Time } from "../../parts/Values";
import { strings } from "../../strings";
import { KEYS, rotationQuery } from "./queries";

const text = strings.keys.rotation;

/** Whether and how often a key gets other material. */
export function Rotation({ id, mayChange }: { id: string; mayChange: boolean }) {
  const query = useQuery(rotationQuery(id));
  const [isOpen, setIsOpen] = useState(false);
  const status = query.data;
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={text.hint}
          actions={
            mayChange && status !== undefined ? <Button onClick={() => setIsOpen(true)}>{text.change}</Button> : null
          }
        >
          {text.title}
        </Header>
      }
    >
      {query.error === null ? null : <Failure error={query.error} retry={() => void query.refetch()} />}
      {query.isPending ? <StatusIndicator type="loading">{strings.frame.loading}</StatusIndicator> : null}
      {status === undefined ? null : (
        <Box>{status.KeyRotationEnabled ? text.on(status.RotationPeriodInDays ?? ROTATION_DAYS.usual) : text.off}</Box>
      )}
      {status?.NextRotationDate === undefined ? null : (
        <Box>
          {text.next}: <Time time={new Date(status.NextRotationDate * 1000)} />
        </Box>
      )}
      {isOpen && status !== undefined ? <Change id={id} before={status} onClose={() => setIsOpen(false)} /> : null}
    </Container>
  );
}

function Change({ id, before, onClose }: { id: string; before: Status; onClose: () => void }) {
  const [isOn, setIsOn] = useState(before.KeyRotationEnabled);
  const [days, setDays] = useState(String(before.RotationPeriodInDays ?? ROTATION_DAYS.usual));
  const isRight = !isOn || isWithin(Number(days), ROTATION_DAYS);
  const change = setRotation(id, isOn ? Number(days) : undefined);
  const save = useAction(() => perform(change), { stale: [KEYS], said: () => text.saved, then: onClose });
  return (
    <Dialog
      title={text.change}
      submit={strings.frame.save}
      onSubmit={() => save.run(undefined)}
      onClose={onClose}
      isRunning={save.isRunning}
      isDisabled={!isRight}
      error={save.error}
      changes={[change]}
    >
      <Checkbox checked={isOn} onChange={({ detail }) => setIsOn(detail.checked)}>
        {text.isOn}
      </Checkbox>
      {isOn ? (
        <Field
          label={text.days}
          value={days}
          onChange={setDays}
          inputMode="numeric"
          error={isRight ? undefined : text.daysError}
        />
      ) : null}
    </Dialog>
  );
}
