/* NVML with two GPUs: the process FAKE_PID takes half of the first; somebody else has the second. */
#include <stdio.h>
#include <stdlib.h>

typedef struct { unsigned gpu, memory; } utilization;
typedef struct { unsigned long long total, free, used; } memory;
typedef struct { unsigned pid; unsigned long long memory; unsigned instance, compute; } process;

static int gpus[2] = {0, 1};

int nvmlInit_v2(void) { return 0; }

int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return 0; }

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) { *device = &gpus[index]; return 0; }

int nvmlDeviceGetUUID(int *device, char *text, unsigned size) {
    snprintf(text, size, "GPU-%d", *device);
    return 0;
}

int nvmlDeviceGetName(int *device, char *text, unsigned size) {
    snprintf(text, size, "Imagined H%d00", *device + 1);
    return 0;
}

int nvmlDeviceGetUtilizationRates(int *device, utilization *found) {
    found->gpu = *device ? 90 : 40;
    return 0;
}

int nvmlDeviceGetMemoryInfo(int *device, memory *found) {
    found->total = 1000ull << 20;
    found->used = (*device ? 900ull : 600ull) << 20;
    return 0;
}

int nvmlDeviceGetComputeRunningProcesses_v3(int *device, unsigned *count, process *found) {
    char *pid = getenv("FAKE_PID");
    if (!pid) {
        *count = 0;
        return 0;
    }
    found[0].pid = *device ? 1 : atoi(pid);
    found[0].memory = 500ull << 20;
    *count = 1;
    return 0;
}
