package io.tidemark.cli;

import io.tidemark.control.document.CertificateCheck;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Whose signatures are asked for.
 *
 * @param any keys that any host may have signed with that is not named in {@code byHost}
 * @param byHost keys of one host, by its name in the document; it must be there, and have signed with one of them
 */
record WantedKeys(Set<String> any, Map<String, Set<String>> byHost) {
    private static final Pattern FORM = Pattern.compile("(?:([a-z0-9][a-z0-9-]{0,30})=)?([0-9a-f]{64})");

    WantedKeys {
        any = Set.copyOf(any);
        byHost = Map.copyOf(byHost);
    }

    /** @throws IllegalArgumentException naming the one that is neither {@code FINGERPRINT} nor {@code HOST=FINGERPRINT} */
    static WantedKeys of(List<String> written) {
        var any = new LinkedHashSet<String>();
        var byHost = new TreeMap<String, Set<String>>();
        for (var one : written) {
            var matcher = FORM.matcher(one);
            if (!matcher.matches()) {
                throw new IllegalArgumentException(
                        "--key is not 64 lower-case hex digits, nor a host's name, = and those: " + one);
            }
            if (matcher.group(1) == null) {
                any.add(matcher.group(2));
            } else {
                byHost.computeIfAbsent(matcher.group(1), host -> new LinkedHashSet<>())
                        .add(matcher.group(2));
            }
        }
        return new WantedKeys(any, byHost);
    }

    boolean isEmpty() {
        return any.isEmpty() && byHost.isEmpty();
    }

    /** What is wrong with who has signed, one phrase each. */
    List<String> faults(CertificateCheck check) {
        var faults = new ArrayList<String>();
        if (isEmpty()) {
            return faults;
        }
        for (var host : new TreeMap<>(byHost).keySet()) {
            if (!check.byHost().containsKey(host)) {
                faults.add(
                        check.byHost().isEmpty()
                                ? "it is of one host, which it does not name: whether that is %s cannot be asked; give its key alone"
                                        .formatted(host)
                                : "host %s has signed no part of it".formatted(host));
            }
        }
        if (check.byHost().isEmpty()) {
            check.signers().forEach(signer -> judge("it", signer, any, faults));
        } else {
            new TreeMap<>(check.byHost())
                    .forEach((host, signer) ->
                            judge("the part of " + host, signer, byHost.getOrDefault(host, any), faults));
        }
        return faults;
    }

    private static void judge(String what, String signer, Set<String> wanted, List<String> faults) {
        if (!wanted.contains(signer)) {
            faults.add(
                    wanted.isEmpty()
                            ? "%s is signed by key %s, and no key is named for it".formatted(what, signer)
                            : "%s is signed by key %s, not by %s"
                                    .formatted(
                                            what,
                                            signer,
                                            String.join(
                                                    " or ",
                                                    wanted.stream().sorted().toList())));
        }
    }
}
