import Autosuggest, { type AutosuggestProps } from "@cloudscape-design/components/autosuggest";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { searchImages } from "../api/history";
import { policyNames, repositoryNames, roleNames, userNames } from "../api/search";
import { foundImages } from "../lib/found-images";
import { repositoryPath } from "../lib/paths";
import { useSettled } from "../parts/useSettled";
import { strings } from "../strings";
import { SCREENS } from "./screens";

const text = strings.frame.search;
/** A search starts when nobody typed for this long. */
const SETTLE_MS = 250;
/** Options of a group. */
const OFFERED = 10;
/** Lists of names are read again after this long. */
const STALE_MS = 60_000;

/** Finds repositories, images, users, roles, policies and pages by a part of their name. Ctrl or ⌘ and K lead here. */
export function Search() {
  const navigate = useNavigate();
  const input = useRef<AutosuggestProps.Ref>(null);
  const [typed, setTyped] = useState("");
  const wanted = useSettled(typed.trim(), SETTLE_MS);
  const { options, isLoading } = useOptions(wanted);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      input.current?.focus();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  return (
    <Autosuggest
      ref={input}
      value={typed}
      options={options}
      filteringType="manual"
      ariaLabel={text.label}
      placeholder={text.placeholder}
      enteredTextLabel={text.entered}
      statusType={isLoading ? "loading" : "finished"}
      loadingText={strings.frame.loading}
      empty={wanted === "" ? text.hint : text.empty}
      onChange={({ detail }) => setTyped(detail.value)}
      onSelect={({ detail }) => {
        const chosen = detail.selectedOption?.value;
        setTyped("");
        // What was typed may be chosen as well: it filters the repositories.
        void navigate(chosen ?? `/repositories?${new URLSearchParams({ filter: detail.value }).toString()}`);
      }}
    />
  );
}

const hasScreen = (path: string): boolean => SCREENS.some((screen) => screen.path === path);

function useOptions(wanted: string): { options: AutosuggestProps.Options; isLoading: boolean } {
  const enabled = wanted !== "";
  const common = { enabled, staleTime: STALE_MS, retry: false } as const;
  const repositories = useQuery({
    ...common,
    queryKey: ["search", "repositories", wanted],
    queryFn: () => repositoryNames(wanted),
  });
  const images = useQuery({
    ...common,
    queryKey: ["search", "images", wanted],
    queryFn: ({ signal }) => searchImages(wanted, OFFERED * 2, signal),
  });
  const users = useQuery({ ...common, queryKey: ["search", "users"], queryFn: userNames, enabled: enabled && hasScreen("/users/:name") });
  const roles = useQuery({ ...common, queryKey: ["search", "roles"], queryFn: roleNames, enabled: enabled && hasScreen("/roles/:name") });
  const policies = useQuery({ ...common, queryKey: ["search", "policies"], queryFn: policyNames, enabled: enabled && hasScreen("/policies/:arn") });
  if (!enabled) return { options: [], isLoading: false };
  const group = (label: string, options: AutosuggestProps.Option[]) =>
    options.length === 0 ? [] : [{ label, options: options.slice(0, OFFERED) }];
  const contains = (name: string) => name.toLowerCase().includes(wanted.toLowerCase());
  const pages = SCREENS.flatMap(({ path, entry, action }) => {
    const label = entry?.text ?? action;
    return label !== undefined && contains(label) ? [{ value: path, label }] : [];
  });
  const matching = (names: { name: string; arn: string }[] | undefined, to: (item: { name: string; arn: string }) => string) =>
    (names ?? []).filter(({ name }) => contains(name)).map((item) => ({ value: to(item), label: item.name }));
  return {
    isLoading: [repositories, images, users, roles, policies].some((query) => query.isLoading),
    options: [
      ...group(text.pages, pages),
      ...group(
        text.repositories,
        (repositories.data ?? []).map((name) => ({ value: repositoryPath(name), label: name })),
      ),
      ...group(
        text.images,
        foundImages(images.data ?? []).map(({ repositoryName, imageDigest, label, description }) => ({
          value: repositoryPath(repositoryName, { tab: "images", image: imageDigest }),
          label,
          ...(description === undefined ? {} : { description }),
        })),
      ),
      ...group(text.users, matching(users.data, ({ name }) => `/users/${encodeURIComponent(name)}`)),
      ...group(text.roles, matching(roles.data, ({ name }) => `/roles/${encodeURIComponent(name)}`)),
      ...group(text.policies, matching(policies.data, ({ arn }) => `/policies/${encodeURIComponent(arn)}`)),
    ],
  };
}
