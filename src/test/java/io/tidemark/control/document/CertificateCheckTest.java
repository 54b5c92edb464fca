package io.tidemark.control.document;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.consistency.AchievedConsistency;
import io.tidemark.consistency.AchievedConsistency.Application;
import io.tidemark.consistency.AchievedConsistency.Wanted;
import io.tidemark.consistency.attestation.Attestation;
import io.tidemark.consistency.attestation.Statement;
import io.tidemark.consistency.attestation.TestKey;
import io.tidemark.domain.Certificate;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class CertificateCheckTest {
    private static final VolumeId ORDERS = new VolumeId("image:orders");
    private static final RecoveryPointId POINT = new RecoveryPointId("rp-1");
    private static final SnapshotId SNAPSHOT = new SnapshotId(ORDERS, POINT);
    private static final Wanted WANTED = new Wanted(
            Map.of(ORDERS, List.of("/orders")),
            Set.of(),
            List.of(new Application("postgresql", "127.0.0.1:5432/shop")));

    private static Certificate certificate(boolean held) {
        return new Certificate(
                "host",
                "boot",
                List.of(
                        new Certificate.Freeze(
                                "postgresql", "127.0.0.1:5432/shop", 1, 2, 9, 10, true, Map.of("startLsn", "0/2")),
                        new Certificate.Freeze(Certificate.FILE_SYSTEM, "/orders", 3, 4, 7, 8, held, Map.of())),
                List.of(new Certificate.CutTimes(SNAPSHOT, 5, 6)),
                true,
                List.of());
    }

    private static RecoveryPoint point(Consistency consistency, Certificate certificate) {
        return new RecoveryPoint(
                POINT,
                new GroupId("shop"),
                Instant.parse("2026-11-26T10:00:00Z"),
                consistency,
                certificate,
                List.of(new RecoveryPoint.Member(ORDERS, SNAPSHOT, 4096)),
                Map.of("backup_label", "START WAL LOCATION: 0/2000028"),
                Optional.empty(),
                Optional.empty());
    }

    private static RecoveryPoint signed(RecoveryPoint point) {
        return point.attested(Attestation.sign(Statement.of(point, WANTED), TestKey.make()));
    }

    /** As a user has it: text that was read back. */
    private static ObjectNode document(RecoveryPoint point) {
        return Json.object(Json.write(Documents.recoveryPoint(point)));
    }

    private static ObjectNode good() {
        return document(signed(point(Consistency.APPLICATION, certificate(true))));
    }

    @Test
    void documentThatNobodyChangedHolds() {
        var check = CertificateCheck.of(good());

        assertThat(check.faults()).isEmpty();
        assertThat(check.signers()).hasSize(1);
    }

    @Test
    void withoutAttestationNothingHolds() {
        var document = good();
        document.remove("attestation");

        assertThat(CertificateCheck.of(document).faults())
                .singleElement()
                .asString()
                .contains("no attestation");
    }

    /** Every value, changed, taken out, and one put in beside it. */
    @Test
    void tamperingWithAnyFieldIsDetected() {
        int tried = 0;
        for (var change : changes(good())) {
            assertThat(CertificateCheck.of(change.document()).faults())
                    .as(change.what())
                    .isNotEmpty();
            tried++;
        }
        assertThat(tried).isGreaterThan(100);
    }

    private record Change(String what, ObjectNode document) {}

    private static List<Change> changes(ObjectNode document) {
        var changes = new ArrayList<Change>();
        for (var pointer : pointers("", document)) {
            int slash = pointer.lastIndexOf('/');
            var name = pointer.substring(slash + 1);
            for (var how : List.of("changed", "removed", "null", "beside")) {
                var copy = document.deepCopy();
                change(copy.at(pointer.substring(0, slash)), name, how);
                changes.add(new Change(pointer + " " + how, copy));
            }
        }
        return changes;
    }

    private static List<String> pointers(String above, JsonNode node) {
        var found = new ArrayList<String>();
        if (!above.isEmpty()) {
            found.add(above);
        }
        if (node instanceof ObjectNode object) {
            object.properties()
                    .forEach(field -> found.addAll(pointers(above + "/" + field.getKey(), field.getValue())));
        } else if (node instanceof ArrayNode array) {
            for (int i = 0; i < array.size(); i++) {
                found.addAll(pointers(above + "/" + i, array.get(i)));
            }
        }
        return found;
    }

    private static void change(JsonNode parent, String name, String how) {
        var factory = JsonNodeFactory.instance;
        if (parent instanceof ObjectNode object) {
            switch (how) {
                case "changed" -> object.set(name, other(object.get(name)));
                case "removed" -> object.remove(name);
                case "null" -> object.set(name, factory.nullNode());
                default -> object.put(name + "2", 1);
            }
        } else if (parent instanceof ArrayNode array) {
            int index = Integer.parseInt(name);
            switch (how) {
                case "changed" -> array.set(index, other(array.get(index)));
                case "removed" -> array.remove(index);
                case "null" -> array.set(index, factory.nullNode());
                default -> array.insert(index, array.get(index).deepCopy());
            }
        }
    }

    private static JsonNode other(JsonNode value) {
        var factory = JsonNodeFactory.instance;
        if (value.isBoolean()) {
            return factory.booleanNode(!value.booleanValue());
        }
        if (value.isNumber()) {
            return factory.numberNode(value.longValue() + 1);
        }
        return value.isTextual() ? factory.textNode(value.textValue() + "x") : factory.textNode("other");
    }

    @Test
    void hostThatSignsMoreThanItsCertificateProvesIsFoundOut() {
        var check = CertificateCheck.of(document(signed(point(Consistency.APPLICATION, certificate(false)))));

        assertThat(check.faults()).containsExactly("its certificate proves CRASH, it claims APPLICATION");
    }

    @Test
    void receivedPointNamesTheTargetsVolumesAndHolds() {
        var received = received(new SnapshotId(new VolumeId("zfs:copy"), POINT));

        assertThat(CertificateCheck.of(document(received)).faults()).isEmpty();
    }

    @Test
    void receivedPointWithASnapshotOfAnotherDoesNotHold() {
        var received = received(new SnapshotId(new VolumeId("zfs:copy"), new RecoveryPointId("rp-2")));

        assertThat(CertificateCheck.of(document(received)).faults())
                .singleElement()
                .asString()
                .contains("is none of recovery point rp-1");
    }

    @Test
    void receivedPointWithoutAllOfItsMembersDoesNotHold() {
        var document = document(received(new SnapshotId(new VolumeId("zfs:copy"), POINT)));
        document.putArray("members");

        assertThat(CertificateCheck.of(document).faults()).containsExactly("0 of 1 members are here");
    }

    private static RecoveryPoint received(SnapshotId snapshot) {
        var sent = signed(point(Consistency.APPLICATION, certificate(true)));
        return new RecoveryPoint(
                sent.id(),
                sent.group(),
                sent.createdAt(),
                sent.consistency(),
                sent.certificate(),
                List.of(new RecoveryPoint.Member(snapshot.volume(), snapshot, 4096)),
                sent.evidence(),
                Optional.of(new LinkId("ln-1")),
                sent.attestation());
    }

    static LongStream seeds() {
        return LongStream.range(0, 500);
    }

    /** A freeze that expired at any moment before it was asked has not held; whoever says otherwise is found out. */
    @ParameterizedTest
    @MethodSource("seeds")
    void expiredFreezeIsNeverCalledApplication(long seed) {
        var random = new SplittableRandom(seed);
        long now = 0;
        long[] times = new long[10];
        for (int i = 0; i < times.length; i++) {
            now += random.nextInt(1, 1_000);
            times[i] = now;
        }
        boolean database = random.nextBoolean();
        var certificate = new Certificate(
                "host",
                "boot",
                List.of(
                        new Certificate.Freeze(
                                "postgresql",
                                "127.0.0.1:5432/shop",
                                times[0],
                                times[1],
                                times[8],
                                times[9],
                                !database,
                                Map.of()),
                        new Certificate.Freeze(
                                Certificate.FILE_SYSTEM,
                                "/orders",
                                times[2],
                                times[3],
                                times[6],
                                times[7],
                                database,
                                Map.of())),
                List.of(new Certificate.CutTimes(SNAPSHOT, times[4], times[5])),
                random.nextBoolean(),
                List.of());

        var honest = AchievedConsistency.decide(certificate, WANTED).consistency();

        assertThat(honest).isEqualTo(database ? Consistency.FILESYSTEM : Consistency.CRASH);
        assertThat(CertificateCheck.of(document(signed(point(honest, certificate))))
                        .faults())
                .isEmpty();
        assertThat(CertificateCheck.of(document(signed(point(Consistency.APPLICATION, certificate))))
                        .faults())
                .isNotEmpty();
    }
}
