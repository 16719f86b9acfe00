import FormField from "@cloudscape-design/components/form-field";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import { useState } from "react";
import { perform } from "../../api/perform";
import type { Peer } from "../../api/replication";
import { EMPTY_PEER, peerProblems, putPeer, type PeerForm } from "../../lib/replication";
import { Dialog } from "../../parts/Dialog";
import { Field } from "../../parts/Field";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { PEERS } from "./queries";

const text = strings.replication.peers;

const formOf = ({ region, registryId, endpoint, accessKeyId, certificateAuthority = "" }: Peer): PeerForm => ({
  region,
  registryId,
  endpoint,
  accessKeyId,
  secretAccessKey: "",
  certificateAuthority,
});

/** Makes or edits a peer. Its region and account are its name. */
export function PeerDialog({ peer, onClose }: { peer: Peer | undefined; onClose: () => void }) {
  const [form, setForm] = useState(() => (peer === undefined ? EMPTY_PEER : formOf(peer)));
  const set = (change: Partial<PeerForm>) => setForm({ ...form, ...change });
  const problems = peerProblems(form, peer);
  const error = (member: keyof PeerForm, words: string) =>
    form[member].trim() !== "" && problems.has(member) ? words : undefined;
  const change = putPeer(form);
  const save = useAction(() => perform(change), { stale: [PEERS], said: () => text.saved, then: onClose });
  return (
    <Dialog
      title={peer === undefined ? text.add : text.edit}
      submit={strings.frame.save}
      onSubmit={() => save.run(undefined)}
      onClose={onClose}
      isRunning={save.isRunning}
      isDisabled={problems.size > 0}
      error={save.error}
      changes={[change]}
    >
      <SpaceBetween size="m">
        {peer === undefined ? (
          <>
            <Field
              label={strings.replication.region}
              value={form.region}
              onChange={(region) => set({ region })}
              error={error("region", strings.replication.problems.region)}
            />
            <Field
              label={strings.replication.account}
              value={form.registryId}
              onChange={(registryId) => set({ registryId })}
              error={error("registryId", text.accountError)}
            />
          </>
        ) : null}
        <Field
          label={text.endpoint}
          value={form.endpoint}
          onChange={(endpoint) => set({ endpoint })}
          constraint={text.endpointHint}
          error={error("endpoint", text.endpointError)}
        />
        <Field
          label={text.key}
          value={form.accessKeyId}
          onChange={(accessKeyId) => set({ accessKeyId })}
          error={error("accessKeyId", text.keyError)}
        />
        <Field
          label={text.secret}
          value={form.secretAccessKey}
          onChange={(secretAccessKey) => set({ secretAccessKey })}
          type="password"
          constraint={peer === undefined ? text.secretHint : text.secretKept}
        />
        <FormField label={text.authority} constraintText={text.authorityHint} stretch>
          <Textarea
            value={form.certificateAuthority}
            rows={4}
            spellcheck={false}
            onChange={({ detail }) => set({ certificateAuthority: detail.value })}
          />
        </FormField>
      </SpaceBetween>
    </Dialog>
  );
}
