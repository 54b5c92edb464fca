package io.tidemark.consistency.attestation;

import io.tidemark.consistency.AchievedConsistency.Verdict;
import io.tidemark.domain.Certificate;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.RecoveryPoint;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Decides what a recovery point of several hosts is good for, from what each of them has signed. A pure function.
 *
 * <p>Every host must have been told that all were frozen before it cut, and that all were cut before it thawed: then each
 * cut lies inside every freeze, whatever their clocks say. Each host's own certificate tells the rest; a host that froze
 * no application decides nothing about {@code APPLICATION} where others froze theirs.
 */
public final class HostsVerdict {

    private HostsVerdict() {}

    /**
     * @throws IOException with one phrase where a host's attestation does not hold, is not about its part, or two hosts
     *     signed with one key; and where the hosts do not prove that they were cut together: then it is no recovery point
     */
    public static Verdict of(List<RecoveryPoint.OfHost> hosts) throws IOException {
        Map<String, Statement> signed = new LinkedHashMap<>();
        var signers = new HashSet<String>();
        for (var host : hosts) {
            var jws = host.point()
                    .attestation()
                    .orElseThrow(() -> new IOException("%s has signed nothing".formatted(host.agent())));
            var attestation = Attestation.open(jws);
            if (signed.put(host.agent(), attestation.statement()) != null) {
                throw new IOException("host %s is named twice".formatted(host.agent()));
            }
            if (!signers.add(attestation.signer())) {
                throw new IOException("%s: it is signed by the key of another host, %s"
                        .formatted(host.agent(), attestation.signer()));
            }
        }
        return decide(signed);
    }

    /** @param signed by host, under the names that the recovery point tells */
    static Verdict decide(Map<String, Statement> signed) throws IOException {
        var unproven = order(signed);
        if (!unproven.isEmpty()) {
            throw new IOException(String.join("; ", unproven));
        }
        var reasons = new ArrayList<String>();
        signed.forEach((host, statement) -> judgeHost(host, statement, signed.size(), reasons));
        boolean fileSystems = reasons.isEmpty();
        boolean applications = signed.values().stream()
                .anyMatch(one -> !one.wanted().applications().isEmpty());
        signed.forEach((host, statement) -> {
            var verdict = statement.verdict();
            if (verdict.consistency() != Consistency.APPLICATION
                    && !(applications && statement.wanted().applications().isEmpty())) {
                verdict.reasons().stream()
                        .map(reason -> host + ": " + reason)
                        .filter(reason -> !reasons.contains(reason))
                        .forEach(reasons::add);
            }
        });
        if (reasons.isEmpty()) {
            return new Verdict(Consistency.APPLICATION, reasons);
        }
        return new Verdict(fileSystems ? Consistency.FILESYSTEM : Consistency.CRASH, reasons);
    }

    private static void judgeHost(String host, Statement statement, int hosts, List<String> reasons) {
        var verdict = statement.verdict();
        if (!verdict.consistency().atLeast(Consistency.FILESYSTEM)) {
            verdict.reasons().forEach(reason -> reasons.add(host + ": " + reason));
        }
        if (hosts > 1 && !statement.wanted().fileSystems().isEmpty()) {
            reasons.add("%s: nothing held back the writers of %s while other hosts were cut"
                    .formatted(host, statement.wanted().fileSystems()));
        }
    }

    /** Why the hosts do not prove that they were cut together; empty where they do. */
    private static List<String> order(Map<String, Statement> signed) {
        var reasons = new ArrayList<String>();
        Map<String, Certificate.Order> orders = new LinkedHashMap<>();
        signed.forEach((host, statement) -> statement
                .point()
                .certificate()
                .order()
                .filter(order -> order.agent().equals(host))
                .ifPresentOrElse(
                        order -> orders.put(host, order),
                        () -> reasons.add("%s: it does not say with whom it was cut".formatted(host))));
        if (!reasons.isEmpty()) {
            return reasons;
        }
        Map<String, String> frozen = new LinkedHashMap<>();
        Map<String, String> cut = new LinkedHashMap<>();
        orders.forEach((host, order) -> {
            frozen.put(host, order.frozenMark());
            cut.put(host, order.cutMark());
        });
        orders.forEach((host, order) -> {
            if (!order.frozenBefore().equals(frozen)) {
                reasons.add("%s: it does not prove that all hosts were frozen before it cut".formatted(host));
            }
            if (!order.cutBefore().equals(cut)) {
                reasons.add("%s: it does not prove that all hosts were cut before it thawed".formatted(host));
            }
        });
        return reasons;
    }
}
