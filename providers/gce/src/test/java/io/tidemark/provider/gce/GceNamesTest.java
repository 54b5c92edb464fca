package io.tidemark.provider.gce;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GceNamesTest {
    private static final String NAME = "[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?";
    private static final String LETTERS = "abzABZ019._/-";

    @Test
    void everyVolumesNameComesThroughLabels() {
        var random = new Random(1);
        for (int count = 0; count < 2_000; count++) {
            var text = new StringBuilder("a");
            int length = random.nextInt(128);
            while (text.length() < length) {
                char next = LETTERS.charAt(random.nextInt(LETTERS.length()));
                if (next != '.' || text.charAt(text.length() - 1) != '.') {
                    text.append(next);
                }
            }
            var labels = new LinkedHashMap<String, String>();
            GceNames.putVolume(labels, VolumeId.of("gce", text.toString()));

            assertThat(labels).allSatisfy((key, value) -> {
                assertThat(key).matches("[a-z][a-z0-9_-]{0,62}");
                assertThat(value).matches("[a-z0-9_-]{0,63}");
            });
            assertThat(GceNames.volumeIn(labels)).hasValue(text.toString());
        }
    }

    @Test
    void namesAreOfGooglesFormAndTellApartWhatDiffers() {
        var one = new SnapshotId(VolumeId.of("gce", "europe-west3-a/orders"), new RecoveryPointId("rp-1"));
        var two = new SnapshotId(VolumeId.of("gce", "europe-west3-a/orders"), new RecoveryPointId("rp-2"));
        var three = new SnapshotId(VolumeId.of("gce", "europe-west3-b/orders"), new RecoveryPointId("rp-1"));

        assertThat(GceNames.snapshotOf("prod", one)).matches(NAME).isEqualTo(GceNames.snapshotOf("prod", one));
        assertThat(GceNames.snapshotOf("prod", two)).isNotEqualTo(GceNames.snapshotOf("prod", one));
        assertThat(GceNames.snapshotOf("prod", three)).isNotEqualTo(GceNames.snapshotOf("prod", one));
        assertThat(GceNames.snapshotOf("test", one)).isNotEqualTo(GceNames.snapshotOf("prod", one));
    }

    @Test
    void ownersOfHoldsComeThroughLabels() {
        for (var owner : new String[] {"a", "link-1", "b".repeat(63), "c".repeat(63) + "-"}) {
            var hold = GceNames.holdOf(new HoldOwner(owner));
            var labels = new HashMap<String, String>();
            labels.put(hold.getKey(), hold.getValue());

            assertThat(hold.getKey()).matches("[a-z][a-z0-9_-]{0,62}");
            assertThat(hold.getValue()).matches("[a-z0-9_-]{0,63}");
            assertThat(GceNames.holdsIn(labels)).containsExactly(new HoldOwner(owner));
        }
    }

    @Test
    void labelThatSomebodyHasSpoiltIsNoVolume() {
        assertThat(GceNames.decoded("a_zz")).isEmpty();
        assertThat(GceNames.decoded("a_2")).isEmpty();
    }
}
