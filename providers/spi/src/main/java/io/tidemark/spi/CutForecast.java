package io.tidemark.spi;

import java.time.Duration;
import java.util.List;

/**
 * What a cut of some volumes will cost, asked before anything is frozen.
 *
 * @param duration estimate of the time the writers would be held for the cut itself
 * @param atomic whether all volumes will be cut at one instant
 * @param notes one line a volume: the method and what the estimate rests on, for people
 */
public record CutForecast(Duration duration, boolean atomic, List<String> notes) {
    public CutForecast {
        notes = List.copyOf(notes);
    }
}
