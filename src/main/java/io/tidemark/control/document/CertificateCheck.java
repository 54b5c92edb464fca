package io.tidemark.control.document;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.consistency.attestation.Attestation;
import io.tidemark.consistency.attestation.Statement;
import io.tidemark.spi.SnapshotId;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;

/**
 * Whether the document of a recovery point says what the host that took it has signed, and whether the certificate in it
 * proves as much as it claims. Pure, and needs no site.
 *
 * @param faults one phrase each; empty where all of it holds
 * @param signers fingerprints of the keys that signed, one a host; empty where no signature holds. Anyone can sign with a
 *     key of his own: compare them with the site's, or its agents'
 * @param byHost of a recovery point of several hosts: which key signed the part of which, of those whose signature holds
 */
public record CertificateCheck(List<String> faults, List<String> signers, Map<String, String> byHost) {
    static final String ATTESTATION = "attestation";
    private static final String EVIDENCE = "evidence";
    private static final String MEMBERS = "members";
    static final String RECEIVED_OVER = "receivedOver";
    static final String HOSTS = "hosts";

    public CertificateCheck {
        faults = List.copyOf(faults);
        signers = List.copyOf(signers);
        byHost = Map.copyOf(byHost);
    }

    /** Of one host, which the document does not name. */
    CertificateCheck(List<String> faults, List<String> signers) {
        this(faults, signers, Map.of());
    }

    /** @param document as the API answers it for one recovery point */
    public static CertificateCheck of(ObjectNode document) {
        if (!document.path(HOSTS).isEmpty()) {
            return HostsCheck.of(document);
        }
        var check = ofHost(document);
        var others =
                document.path("certificate").path("order").path("frozenBefore").size();
        if (others < 2) {
            return check;
        }
        var faults = new ArrayList<>(check.faults());
        faults.add("it is the part of one host, of %d that were cut together".formatted(others));
        return new CertificateCheck(faults, check.signers());
    }

    static CertificateCheck ofHost(ObjectNode document) {
        var jws = document.path(ATTESTATION);
        if (!jws.isTextual()) {
            return new CertificateCheck(
                    List.of("there is no attestation: nothing was signed, or it was taken out"), List.of());
        }
        try {
            var attestation = Attestation.open(jws.textValue());
            var statement = attestation.statement();
            var faults = new ArrayList<String>();
            compare("", signed(statement), claimed(document, statement, faults), faults);
            judge(statement, faults);
            return new CertificateCheck(faults, List.of(attestation.signer()));
        } catch (IOException e) {
            return new CertificateCheck(List.of(String.valueOf(e.getMessage())), List.of());
        }
    }

    /** Read back, so that numbers are of the kinds that a reader makes of them. */
    private static ObjectNode signed(Statement statement) {
        return Json.object(Json.write(Documents.recoveryPoint(statement.point())));
    }

    private static ObjectNode claimed(ObjectNode document, Statement statement, List<String> faults) {
        var claimed = document.deepCopy();
        claimed.remove(ATTESTATION);
        if (claimed.get(EVIDENCE) instanceof ObjectNode evidence) {
            evidence.properties().forEach(text -> {
                if (text.getValue().isTextual()) {
                    text.setValue(
                            evidence.textNode(Statement.digest(text.getValue().textValue())));
                }
            });
        }
        if (claimed.remove(RECEIVED_OVER) != null) {
            // A target names its own volumes, which the source could not sign.
            var snapshots = new TreeSet<String>();
            for (var member : claimed.path(MEMBERS)) {
                judgeReceived(member, statement, faults);
                snapshots.add(member.path("snapshot").asText());
            }
            int signedMembers = statement.point().members().size();
            if (snapshots.size() != signedMembers || claimed.path(MEMBERS).size() != signedMembers) {
                faults.add("%d of %d members are here".formatted(snapshots.size(), signedMembers));
            }
            claimed.set(MEMBERS, signed(statement).get(MEMBERS));
        }
        return claimed;
    }

    private static void judgeReceived(JsonNode member, Statement statement, List<String> faults) {
        try {
            var id = SnapshotId.parse(member.path("snapshot").asText());
            if (id.recoveryPoint().equals(statement.point().id())
                    && id.volume().value().equals(member.path("volume").asText())) {
                return;
            }
        } catch (IllegalArgumentException e) {
            // Told below, as one of another recovery point is.
        }
        faults.add("member %s is none of recovery point %s"
                .formatted(member.path("snapshot"), statement.point().id()));
    }

    private static void judge(Statement statement, List<String> faults) {
        try {
            var verdict = statement.verdict();
            if (verdict.consistency() != statement.point().consistency()) {
                faults.add("its certificate proves %s, it claims %s"
                        .formatted(verdict.consistency(), statement.point().consistency()));
            }
        } catch (IllegalArgumentException e) {
            faults.add(String.valueOf(e.getMessage()));
        }
    }

    static void compare(String path, JsonNode signed, JsonNode claimed, List<String> faults) {
        if (signed.isObject() && claimed.isObject()) {
            var names = new TreeSet<String>();
            signed.fieldNames().forEachRemaining(names::add);
            claimed.fieldNames().forEachRemaining(names::add);
            for (var name : names) {
                compare(path + "/" + name, signed.path(name), claimed.path(name), faults);
            }
        } else if (signed.isArray() && claimed.isArray() && signed.size() == claimed.size()) {
            for (int i = 0; i < signed.size(); i++) {
                compare(path + "/" + i, signed.path(i), claimed.path(i), faults);
            }
        } else if (!Objects.equals(signed, claimed)) {
            faults.add("%s is %s, signed was %s".formatted(path, shown(claimed), shown(signed)));
        }
    }

    private static String shown(JsonNode node) {
        return node.isMissingNode() ? "missing" : node.isContainerNode() ? "other" : node.toString();
    }
}
