package io.tidemark.provider.fakecloud.aws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.fakecloud.CallKind;
import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Faults do what their names say, and a seed gives the same ones again. */
class FaultScriptTest extends ModelChecked {

    @Test
    void aSeedGivesTheSameFaultsAgainAndOnlyThoseThatCanBefallTheCall() {
        var first = drawn(FaultScript.of(41));

        assertThat(first).isEqualTo(drawn(FaultScript.of(41))).isNotEqualTo(drawn(FaultScript.of(42)));
        assertThat(first).contains(Fault.EMPTY_PAGE, Fault.THROTTLE).doesNotContain(Fault.CUT_AFTER, Fault.STUCK);
    }

    private static List<Fault> drawn(FaultScript script) {
        var faults = new ArrayList<Fault>();
        for (int call = 0; call < 500; call++) {
            faults.add(script.next("DescribeSnapshots", CallKind.LIST));
        }
        return faults;
    }

    @Test
    void aLimitOfFaultsEndsThem() {
        var script = FaultScript.of(7).atMost(3);

        assertThat(drawn(script)).filteredOn(fault -> fault != Fault.NONE).hasSize(3);
        assertThat(script.happened().values().stream()
                        .mapToInt(Integer::intValue)
                        .sum())
                .isEqualTo(3);
    }

    @Test
    void probabilitiesOfOneCallNeverExceedOne() {
        assertThatThrownBy(() -> FaultScript.of(1).probability(Fault.THROTTLE, 0.9))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void throttlesAndErrorsBeforeTheEffectChangeNothing() throws Exception {
        var volume = aws.createVolume(1, Map.of());
        aws.faults(FaultScript.none()
                .on("CreateSnapshot", 1, Fault.THROTTLE)
                .on("CreateSnapshot", 2, Fault.ERROR_BEFORE)
                .on("CreateSnapshot", 3, Fault.CUT_BEFORE)
                .on("StartSnapshot", 1, Fault.THROTTLE)
                .on("StartSnapshot", 2, Fault.ERROR_BEFORE));

        Ec2SnapshotsTest.assertCode(503, "RequestLimitExceeded", create(volume));
        Ec2SnapshotsTest.assertCode(500, "InternalError", create(volume));
        assertThatThrownBy(() -> create(volume)).isInstanceOf(IOException.class);
        var throttled = wire.start("{\"VolumeSize\":1}");
        assertThat(throttled.status()).isEqualTo(400);
        assertThat(throttled.header("x-amzn-errortype")).isEqualTo("RequestThrottledException");
        assertThat(wire.start("{\"VolumeSize\":1}").status()).isEqualTo(500);

        assertThat(aws.snapshots()).isEmpty();
        assertThat(create(volume).status()).isEqualTo(200);
    }

    @Test
    void errorsAndCutsAfterTheEffectLeaveASnapshotThatNobodyWasToldOf() throws Exception {
        var volume = aws.createVolume(1, Map.of());
        aws.faults(
                FaultScript.none().on("CreateSnapshot", 1, Fault.ERROR_AFTER).on("CreateSnapshot", 2, Fault.CUT_AFTER));

        assertThat(create(volume).status()).isEqualTo(500);
        assertThatThrownBy(() -> create(volume)).isInstanceOf(IOException.class);

        assertThat(aws.snapshots()).hasSize(2);
    }

    @Test
    void anInvisibleSnapshotIsShownInTheEnd() throws Exception {
        var volume = aws.createVolume(1, Map.of());
        aws.faults(FaultScript.none().on("CreateSnapshot", 1, Fault.INVISIBLE));
        String id = create(volume).one("snapshotId");

        assertThat(wire.ec2("DescribeSnapshots", "Owner.1", "self").all("snapshotId"))
                .isEmpty();
        int lists = 1;
        while (wire.ec2("DescribeSnapshots", "SnapshotId.1", id).status() != 200) {
            lists++;
        }

        assertThat(lists).isBetween(1, 3);
    }

    @Test
    void stuckAndFailingSnapshotsAreSo() throws Exception {
        var volume = aws.createVolume(1, Map.of());
        aws.faults(FaultScript.none().on("CreateSnapshot", 1, Fault.STUCK).on("CreateSnapshot", 2, Fault.END_IN_ERROR));
        String stuck = create(volume).one("snapshotId");
        String failed = create(volume).one("snapshotId");

        assertThat(aws.state(aws.snapshot(stuck))).isEqualTo("pending");
        assertThat(aws.state(aws.snapshot(failed))).isEqualTo("error");
        aws.clock().advance(Duration.ofHours(6));
        assertThat(aws.state(aws.snapshot(stuck))).isEqualTo("completed");
    }

    @Test
    void anEmptyPageHasATokenThatGoesOn() throws Exception {
        create(aws.createVolume(1, Map.of()));
        aws.faults(FaultScript.none().on("DescribeSnapshots", 1, Fault.EMPTY_PAGE));

        var empty = wire.ec2("DescribeSnapshots", "Owner.1", "self", "MaxResults", "5");
        var next = wire.ec2("DescribeSnapshots", "Owner.1", "self", "NextToken", empty.one("nextToken"));

        assertThat(empty.all("snapshotId")).isEmpty();
        assertThat(next.all("snapshotId")).hasSize(1);
    }

    @Test
    void aClientCanBeKilledBetweenAnyTwoCalls() throws Exception {
        var volume = aws.createVolume(1, Map.of());
        var calls = new AtomicLong();
        aws.beforeAnswer(number -> {
            calls.set(number);
            if (number == 2) {
                throw new IllegalStateException("killed");
            }
        });

        assertThat(create(volume).status()).isEqualTo(200);
        assertThatThrownBy(() -> create(volume)).isInstanceOf(IOException.class);

        assertThat(calls).hasValue(2);
        assertThat(aws.snapshots()).hasSize(2);
    }

    private AwsWire.Answer create(FakeVolume volume) throws IOException, InterruptedException {
        return wire.ec2("CreateSnapshot", "VolumeId", volume.id());
    }
}
