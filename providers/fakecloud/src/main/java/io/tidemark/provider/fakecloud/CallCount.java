package io.tidemark.provider.fakecloud;

/**
 * How often an operation was called.
 *
 * @param seen requests that came
 * @param requestsChecked of those, how many the published model judged
 * @param answersChecked answers that the model judged; less than the requests where connections were cut
 */
public record CallCount(long seen, long requestsChecked, long answersChecked) {
    public static final CallCount ZERO = new CallCount(0, 0, 0);

    public CallCount plus(CallCount other) {
        return new CallCount(
                seen + other.seen, requestsChecked + other.requestsChecked, answersChecked + other.answersChecked);
    }
}
