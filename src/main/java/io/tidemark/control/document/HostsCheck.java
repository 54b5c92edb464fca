package io.tidemark.control.document;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.consistency.attestation.Attestation;
import io.tidemark.consistency.attestation.HostsVerdict;
import io.tidemark.domain.RecoveryPoint;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * As {@link CertificateCheck}, of a recovery point of several hosts. Each has signed its own part; all that the document
 * says besides is derived anew from those parts and compared.
 */
final class HostsCheck {

    private HostsCheck() {}

    static CertificateCheck of(ObjectNode document) {
        var faults = new ArrayList<String>();
        var signers = new ArrayList<String>();
        var byHost = new TreeMap<String, String>();
        var hosts = new ArrayList<RecoveryPoint.OfHost>();
        for (var host : document.path(CertificateCheck.HOSTS)) {
            var agent = host.path("agent").asText();
            // Each of them is an object with these two, or it is not read at all.
            if (host.size() != 2) {
                faults.add("%s: it has %d members, not 2".formatted(agent, host.size()));
            }
            if (!(host.path("recoveryPoint") instanceof ObjectNode part)) {
                faults.add("%s: there is no recovery point of it".formatted(agent));
                continue;
            }
            if (part.has(CertificateCheck.RECEIVED_OVER)) {
                faults.add("%s: a part is never received over a link".formatted(agent));
            }
            var check = CertificateCheck.ofHost(part);
            check.faults().forEach(fault -> faults.add(agent + ": " + fault));
            signers.addAll(check.signers());
            check.signers().forEach(signer -> byHost.put(agent, signer));
            signed(agent, part, faults).ifPresent(hosts::add);
        }
        if (hosts.size() == document.path(CertificateCheck.HOSTS).size()) {
            compare(document, hosts, faults);
        }
        return new CertificateCheck(faults, signers, byHost);
    }

    private static Optional<RecoveryPoint.OfHost> signed(String agent, ObjectNode part, List<String> faults) {
        var jws = part.path(CertificateCheck.ATTESTATION);
        try {
            var point = Attestation.open(jws.asText()).statement().point();
            return Optional.of(new RecoveryPoint.OfHost(agent, point.attested(jws.asText())));
        } catch (IOException e) {
            // Told by the check of the part itself.
            if (faults.isEmpty()) {
                faults.add("%s: %s".formatted(agent, e.getMessage()));
            }
            return Optional.empty();
        }
    }

    private static void compare(ObjectNode document, List<RecoveryPoint.OfHost> hosts, List<String> faults) {
        var first = hosts.getFirst().point();
        for (var host : hosts) {
            if (!host.point().id().equals(first.id()) || !host.point().group().equals(first.group())) {
                faults.add("%s: its part is of recovery point %s of group %s"
                        .formatted(host.agent(), host.point().id(), host.point().group()));
            }
        }
        try {
            var verdict = HostsVerdict.of(hosts);
            var derived = Json.object(Json.write(
                    Documents.recoveryPoint(RecoveryPoint.overHosts(hosts, verdict.consistency(), verdict.reasons()))));
            JsonNode claimed = document.deepCopy().without(CertificateCheck.HOSTS);
            CertificateCheck.compare("", derived.without(CertificateCheck.HOSTS), claimed, faults);
        } catch (IOException | IllegalArgumentException e) {
            faults.add(String.valueOf(e.getMessage()));
        }
    }
}
