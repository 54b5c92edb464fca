/** What the providers of clouds share. */
@NullMarked
package io.tidemark.provider.cloud;

import org.jspecify.annotations.NullMarked;
