/** What every provider must do, as tests; and decorators that break or record what a provider is asked. */
@NullMarked
package io.tidemark.provider.conformance;

import org.jspecify.annotations.NullMarked;
