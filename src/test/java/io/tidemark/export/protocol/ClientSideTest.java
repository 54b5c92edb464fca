package io.tidemark.export.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ClientSideTest {
    private static final int FLUSH = 1 << 2;
    private static final int READ_ONLY = 1 << 1;

    @Test
    void anExportThatOffersMoreTakesAnEarlierOnesPlace() {
        var earlier = new ClientSide.Told(4096, 1 | FLUSH);

        assertThat(new ClientSide.Told(4096, 1 | FLUSH | 1 << 12).replaces(earlier))
                .isTrue();
        assertThat(new ClientSide.Told(4096, 1).replaces(earlier)).isFalse();
        assertThat(new ClientSide.Told(8192, 1 | FLUSH).replaces(earlier)).isFalse();
        assertThat(new ClientSide.Told(4096, 1 | FLUSH | READ_ONLY).replaces(earlier))
                .isFalse();
    }
}
