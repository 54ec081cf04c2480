// What the person chose in this browser: theme, who they are, where they look. Kept in localStorage, never sent.
import { useCallback, useEffect, useState } from "react";

export type Theme = "system" | "light" | "dark";

/** usePref is useState that survives a reload. A value that can't be stored still works until then. */
export function usePref<T extends string>(name: string, initial: T): [T, (v: T) => void] {
  const key = `sandbox.${name}`;
  const [value, setValue] = useState<T>(() => {
    try {
      return (localStorage.getItem(key) as T | null) ?? initial;
    } catch {
      return initial;
    }
  });
  const set = useCallback(
    (v: T) => {
      setValue(v);
      try {
        localStorage.setItem(key, v);
      } catch {
        // Private windows may refuse storage.
      }
    },
    [key],
  );
  return [value, set];
}

/** useMedia tells whether a media query matches now. */
export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const update = () => setMatches(list.matches);
    update();
    list.addEventListener("change", update);
    return () => list.removeEventListener("change", update);
  }, [query]);
  return matches;
}

/** useTheme resolves the choice to a theme and writes it where the style sheet looks. */
export function useTheme(choice: Theme): "light" | "dark" {
  const systemDark = useMedia("(prefers-color-scheme: dark)");
  const theme = choice === "system" ? (systemDark ? "dark" : "light") : choice;
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  return theme;
}
