// A busy machine must fail no test: wait as long as Jest does.
require('@testing-library/react').configure({ asyncUtilTimeout: 60_000 });
