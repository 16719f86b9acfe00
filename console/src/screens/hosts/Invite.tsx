import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Invitation } from "../../api/hosts";
import { collect, from, markerOf } from "../../api/iam/collect";
import { listInstanceProfiles } from "../../api/iam/roles";
import { perform } from "../../api/perform";
import { Failure } from "../../parts/Failure";
import { Field } from "../../parts/Field";
import { FormPage } from "../../parts/FormPage";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { Code } from "./Code";

const DURATIONS = ["3600", "86400", "604800"] as const;

async function profileNames(): Promise<string[]> {
  const found = await collect(async (marker) => {
    const answer = await listInstanceProfiles({ MaxItems: 1000, ...from(marker) });
    return { items: answer.InstanceProfiles ?? [], marker: markerOf(answer) };
  });
  return found.items.flatMap((profile) => profile.InstanceProfileName ?? []);
}

/** Makes a code with which one host joins. */
export default function InviteHost() {
  const text = strings.hosts;
  const [profile, setProfile] = useState("");
  const [hostName, setHostName] = useState("");
  const [seconds, setSeconds] = useState<(typeof DURATIONS)[number]>("3600");
  const [made, setMade] = useState<Invitation>();
  const found = useQuery({ queryKey: ["iam", "instance-profiles"], queryFn: profileNames });
  const options = (found.data ?? []).map((value) => ({ value, label: value }));
  const durations = DURATIONS.map((value) => ({ value, label: text.durations[value] }));
  const isName = hostName === "" || /^[A-Za-z0-9.-]{1,253}$/.test(hostName);
  const change = {
    service: "berth",
    operation: "CreateHostInvitation",
    input: {
      instanceProfileName: profile,
      durationSeconds: Number(seconds),
      ...(hostName === "" ? {} : { hostName }),
    },
  };
  const invite = useAction(() => perform(change) as Promise<Invitation>, { stale: [], then: setMade });
  if (made !== undefined) return <Code invitation={made} hostName={hostName} />;
  return (
    <FormPage
      title={text.invite}
      above={{ text: text.title, to: "/hosts" }}
      onSubmit={() => invite.run(undefined)}
      isRunning={invite.isRunning}
      isDisabled={profile === "" || !isName}
      error={invite.error}
      changes={[change]}
    >
      <Container>
        <SpaceBetween size="l">
          {found.error === null ? (
            <FormField label={text.profile} stretch>
              <Select
                options={options}
                selectedOption={options.find(({ value }) => value === profile) ?? null}
                onChange={(event) => setProfile(event.detail.selectedOption.value ?? "")}
                statusType={found.isPending ? "loading" : "finished"}
                loadingText={strings.iam.loading}
                empty={text.noProfiles}
                placeholder={text.profile}
              />
            </FormField>
          ) : (
            <Failure error={found.error} retry={() => void found.refetch()} />
          )}
          <Field
            label={text.name}
            value={hostName}
            onChange={setHostName}
            constraint={text.hostNameHint}
            error={isName ? undefined : text.hostNameProblem}
            isOptional
          />
          <FormField label={text.duration}>
            <Select
              options={durations}
              selectedOption={durations.find(({ value }) => value === seconds) ?? null}
              onChange={(event) => {
                const chosen = DURATIONS.find((value) => value === event.detail.selectedOption.value);
                if (chosen !== undefined) setSeconds(chosen);
              }}
            />
          </FormField>
        </SpaceBetween>
      </Container>
    </FormPage>
  );
}
