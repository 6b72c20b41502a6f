using Flotta.Wire;

namespace Flotta.Fleet.Devices;

/// <summary>Whom a device tells what becomes of it.</summary>
internal interface IFleetLog
{
    void Moved(DevicePhase from, DevicePhase to);

    /// <summary>The device has an answer from its server (again), or has lost it.</summary>
    void Heard(bool served);

    /// <summary>The server has taken that many events.</summary>
    void Told(int events);

    void Configured(SimulatedDevice device, IReadOnlyList<Workload> workloads);
}
